import { ArgumentsHost, Catch, ExceptionFilter, Logger, ServiceUnavailableException } from '@nestjs/common';
import type { Request, Response } from 'express';
import { describeError } from './describe-error.js';
import { toGatewayError } from './to-gateway-error.js';

/** Prints every error of every route in the one shape. Once headers are out it only ends the connection. */
@Catch()
export class GatewayExceptionFilter implements ExceptionFilter {
  private readonly logger = new Logger('Errors');

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    if (thrown instanceof ServiceUnavailableException && !response.headersSent) {
      // Terminus throws the state of each dependency; that is the readiness route's answer, not an error of it.
      response.status(503).json(thrown.getResponse());
      return;
    }
    const error = toGatewayError(thrown);
    response.locals['errorCode'] = error.code;
    if (error.status >= 500) {
      this.logger.error({
        msg: 'request failed',
        request_id: request.id,
        code: error.code,
        error: describeError(error.cause ?? error),
      });
    }
    if (response.headersSent) {
      // A body that was begun cannot be mended: closing the socket tells the client that it is not whole.
      if (!response.writableEnded) response.destroy();
      return;
    }
    for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
    response.status(error.status).json(error.toBody());
  }
}
