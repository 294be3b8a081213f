import {
  ArgumentsHost,
  Catch,
  ExceptionFilter,
  Injectable,
  Logger,
  NotFoundException,
  Optional,
  ServiceUnavailableException,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { allowedMethods, methodNotAllowed, respondToOptions } from './allowed-methods.js';
import { ErrorFormats } from './error-formats.js';
import { endBeforeBody } from './early-response.js';
import type { HttpRequest, HttpResponse } from './http-types.js';
import type { GatewayError } from '../errors/gateway-error.js';
import { describeError } from '../errors/describe-error.js';
import { toGatewayError } from '../errors/to-gateway-error.js';
import { isCustomMethod, unsupportedEndpoint, type UnsupportedEndpoint } from '../errors/unsupported-endpoint.js';

/** Prints every error of every route, in the form that the clients of its API expect. Once headers are out it only ends the connection. */
@Catch()
@Injectable()
export class GatewayExceptionFilter implements ExceptionFilter {
  private readonly logger = new Logger('Errors');

  constructor(
    private readonly adapter: HttpAdapterHost,
    @Optional() private readonly formats?: ErrorFormats,
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<HttpRequest>();
    const response = http.getResponse<HttpResponse>();
    if (thrown instanceof ServiceUnavailableException && !response.headersSent) {
      // Terminus throws the state of each dependency; that is the readiness route's response, not an error of it.
      send(response, 503, thrown.getResponse());
      return;
    }
    let error: GatewayError | undefined;
    let unsupported: UnsupportedEndpoint | undefined;
    if (thrown instanceof NotFoundException) {
      const allowed = allowedMethods(this.adapter.httpAdapter.getInstance(), request.url);
      if (respondToOptions(request, response, allowed)) return;
      const isServed = allowed.length > 0 && !allowed.includes(request.method);
      if (isServed && !isCustomMethod(request)) error = methodNotAllowed(request, allowed);
      else unsupported = unsupportedEndpoint(request.url, request.id);
    }
    error ??= unsupported?.error ?? toGatewayError(thrown);
    response.locals['errorCode'] = error.code;
    response.locals['error'] = error;
    if (error.status >= 500) {
      this.logger.error({
        msg: 'request failed',
        request_id: request.id,
        code: error.code,
        error: describeError(error.cause ?? error),
      });
    }
    if (response.headersSent) {
      // A body that has begun cannot be corrected: closing the socket shows the client that it is incomplete.
      if (!response.writableEnded) response.destroy();
      return;
    }
    for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
    if (!request.complete) endBeforeBody(request, response);
    const write = this.formats?.of(request.url);
    send(response, error.status, write?.(error, request.id) ?? unsupported?.body ?? error.toBody());
  }
}

function send(response: HttpResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.statusCode = status;
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.setHeader('content-length', Buffer.byteLength(text));
  response.end(text);
}
