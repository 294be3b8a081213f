import { CanActivate, ExecutionContext, Injectable } from '@nestjs/common';
import { notFound } from '../errors/gateway-error.js';
import type { HttpRequest } from './http-types.js';
import { assertQuery, isStorable } from './outside-text.js';

/**
 * Checks the text of paths and queries. An id that no database can store cannot exist, so it is a 404; a
 * query parameter of that kind is a 400. Texts in bodies are checked by StrictBodyPipe and by the reader of submissions.
 * Registered after the key check.
 */
@Injectable()
export class OutsideTextGuard implements CanActivate {
  canActivate(context: ExecutionContext): true {
    const { url, params } = context.getArgByIndex<HttpRequest & { params?: Record<string, unknown> }>(0);
    assertQuery(url);
    // Routes that are served ahead of Express have no parameters.
    if (params === undefined) return true;
    for (const [name, value] of Object.entries(params)) {
      const texts = Array.isArray(value) ? (value as unknown[]) : [value];
      if (texts.some((text) => typeof text === 'string' && !isStorable(text))) {
        throw notFound(`'${name}' in the path is the id of nothing.`);
      }
    }
    return true;
  }
}
