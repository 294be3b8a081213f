import { CanActivate, ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import express from 'express';
import type { Request, RequestHandler, Response } from 'express';
import { GatewayConfig } from '../config/gateway-config.js';
import { unsupportedMediaType } from '../errors/to-gateway-error.js';
import { assertDepth } from './json-bounds.js';

const MODEL_BODY = 'gateway:model-body';

/** The route takes prompts, so its body may be as large as `server.max_body_size`; all others take 1 MB. */
export const ModelBody = (): MethodDecorator & ClassDecorator => SetMetadata(MODEL_BODY, true);

const STREAMED_BODY = 'gateway:streamed-body';

/** The handler reads the body itself, as it arrives; here only its content type is checked. */
export const StreamedBody = (): MethodDecorator => SetMetadata(STREAMED_BODY, true);

const DEFAULT_LIMIT = 1024 * 1024;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;
const OTHER_CHARSET = /;\s*charset\s*=\s*"?(?!utf-?8|us-ascii)/i;

/**
 * Reads the JSON body. It is a guard, registered after the key check, so that nobody without a key makes the gateway
 * read, inflate or parse anything, and the limit is that of the handler, not of a URL.
 */
@Injectable()
export class JsonBodyGuard implements CanActivate {
  private readonly parseSmall: RequestHandler;
  private readonly parseModel: RequestHandler;

  constructor(
    private readonly reflector: Reflector,
    config: GatewayConfig,
  ) {
    const type = (): boolean => true;
    this.parseSmall = express.json({ limit: DEFAULT_LIMIT, type });
    this.parseModel = express.json({ limit: config.server.maxBodySize, type });
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    if (request.method === 'GET' || request.method === 'HEAD') return true;
    if (request.headers['content-length'] === undefined && request.headers['transfer-encoding'] === undefined) {
      request.body = {};
      return true;
    }
    const contentType = request.headers['content-type'] ?? '';
    if (!JSON_TYPE.test(contentType) && request.headers['content-length'] !== '0') {
      throw unsupportedMediaType(
        `Unsupported content type '${contentType.slice(0, 80)}'. Send the body with the header 'content-type: application/json'.`,
      );
    }
    if (OTHER_CHARSET.test(contentType)) {
      throw unsupportedMediaType('Unsupported charset. Send the body as JSON in UTF-8.');
    }
    if (this.reflector.get<boolean | undefined>(STREAMED_BODY, context.getHandler()) === true) return true;
    const isModelBody = this.reflector.getAllAndOverride<boolean | undefined>(MODEL_BODY, [
      context.getHandler(),
      context.getClass(),
    ]);
    await parse(isModelBody === true ? this.parseModel : this.parseSmall, request, http.getResponse<Response>());
    request.body ??= {};
    assertDepth(request.body);
    return true;
  }
}

function parse(handler: RequestHandler, request: Request, response: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    void handler(request, response, (error?: unknown) => {
      if (error instanceof Error) reject(error);
      else resolve();
    });
  });
}
