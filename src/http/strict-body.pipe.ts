import { ArgumentMetadata, Injectable, PipeTransform } from '@nestjs/common';
import { toInstance } from './to-instance.js';

/**
 * For bodies and queries whose every member is ours (admin, batch): unknown members are errors, because a misspelt option that
 * is ignored is worse than a refusal. The model endpoints do not use it: there unknown fields travel through.
 */
@Injectable()
export class StrictBodyPipe implements PipeTransform<unknown, unknown> {
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if ((type !== 'body' && type !== 'query') || metatype === undefined || metatype === Object) return value;
    return toInstance(metatype as new () => object, value ?? {}, { strayNull: 'fault' });
  }
}
