import { CallHandler, ExecutionContext, Injectable, NestInterceptor } from '@nestjs/common';
import type { Observable } from 'rxjs';
import type { HttpRequest, HttpResponse } from '../../http/http-types.js';

/** Anthropic's SDKs read the id of a request from the header `request-id`. */
@Injectable()
export class RequestIdInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { id } = context.getArgByIndex<HttpRequest>(0);
    context.getArgByIndex<HttpResponse>(1).setHeader('request-id', id);
    return next.handle();
  }
}
