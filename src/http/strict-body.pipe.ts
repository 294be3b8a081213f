import { Injectable, ValidationPipe } from '@nestjs/common';
import { toInvalidRequest } from './validation-errors.js';

/**
 * For routes whose whole body is ours (admin, batch): unknown fields are errors, because a misspelt option that is
 * ignored is worse than a refusal. The model endpoints do not use it: there unknown fields travel through.
 */
@Injectable()
export class StrictBodyPipe extends ValidationPipe {
  constructor() {
    super({
      transform: true,
      whitelist: true,
      forbidNonWhitelisted: true,
      validationError: { target: false, value: true },
      exceptionFactory: toInvalidRequest,
    });
  }
}
