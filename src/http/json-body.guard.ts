import { CanActivate, ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import express from 'express';
import type { Request, RequestHandler, Response } from 'express';
import { GatewayConfig } from '../config/gateway-config.js';
import { unsupportedMediaType } from '../errors/to-gateway-error.js';
import type { HttpRequest } from './exchange.js';
import { assertDepth } from './json-bounds.js';
import { readJson } from './read-json.js';

const MODEL_BODY = 'gateway:model-body';

/** The route takes prompts, so its body may be as large as `server.max_body_size`; all others take 1 MB. */
export const ModelBody = (): MethodDecorator & ClassDecorator => SetMetadata(MODEL_BODY, true);

const STREAMED_BODY = 'gateway:streamed-body';

/** The handler reads the body itself, as it arrives; here only its content type is checked. */
export const StreamedBody = (): MethodDecorator => SetMetadata(STREAMED_BODY, true);

const DEFAULT_LIMIT = 1024 * 1024;
const LARGE = 256 * 1024;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;
const OTHER_CHARSET = /;\s*charset\s*=\s*"?(?!utf-?8|us-ascii)/i;

/** How a handler's bodies are read. */
interface BodyRule {
  readonly isStreamed: boolean;
  /** Bytes. */
  readonly limit: number;
  readonly parse: RequestHandler;
}

/**
 * Reads the JSON body. It is a guard, registered after the key check, so that nobody without a key makes the gateway
 * read, inflate or parse anything, and the limit is that of the handler, not of a URL. A body that comes as it is and
 * says how long it is, is read here; what is compressed or of unknown length is left to body-parser.
 */
@Injectable()
export class JsonBodyGuard implements CanActivate {
  private readonly rules = new Map<unknown, BodyRule>();
  private readonly small: BodyRule;
  private readonly model: BodyRule;

  constructor(
    private readonly reflector: Reflector,
    config: GatewayConfig,
  ) {
    const rule = (limit: number): BodyRule => ({
      isStreamed: false,
      limit,
      parse: express.json({ limit, type: () => true }),
    });
    this.small = rule(DEFAULT_LIMIT);
    this.model = rule(config.server.maxBodySize);
  }

  canActivate(context: ExecutionContext): true | Promise<true> {
    const http = context.switchToHttp();
    const request = http.getRequest<HttpRequest>();
    if (request.method === 'GET' || request.method === 'HEAD') return true;
    const { headers } = request;
    const length = headers['content-length'];
    if (length === undefined && headers['transfer-encoding'] === undefined) {
      request.body = {};
      return true;
    }
    const contentType = headers['content-type'] ?? '';
    if (contentType !== 'application/json') assertJson(contentType, length);
    const rule = this.ruleFor(context);
    if (rule.isStreamed) return true;
    const isPlain = headers['content-encoding'] === undefined && length !== undefined && Number(length) <= rule.limit;
    return isPlain ? readPlain(request) : readOther(rule, request, http.getResponse<Response>());
  }

  private ruleFor(context: ExecutionContext): BodyRule {
    const handler = context.getHandler();
    let rule = this.rules.get(handler);
    if (rule === undefined) {
      const targets = [handler, context.getClass()];
      rule =
        this.reflector.getAllAndOverride<boolean | undefined>(MODEL_BODY, targets) === true ? this.model : this.small;
      if (this.reflector.get<boolean | undefined>(STREAMED_BODY, handler) === true)
        rule = { ...rule, isStreamed: true };
      this.rules.set(handler, rule);
    }
    return rule;
  }
}

function assertJson(contentType: string, length: string | undefined): void {
  if (!JSON_TYPE.test(contentType) && length !== '0') {
    throw unsupportedMediaType(
      `Unsupported content type '${contentType.slice(0, 80)}'. Send the body with the header 'content-type: application/json'.`,
    );
  }
  if (OTHER_CHARSET.test(contentType)) {
    throw unsupportedMediaType('Unsupported charset. Send the body as JSON in UTF-8.');
  }
}

async function readPlain(request: HttpRequest): Promise<true> {
  request.body = await readJson(request);
  assertDepth(request.body);
  // Reading a large body and printing it for the provider takes milliseconds each; others get their turn in between.
  if (Number(request.headers['content-length']) > LARGE) await new Promise(setImmediate);
  return true;
}

async function readOther({ parse }: BodyRule, request: HttpRequest, response: Response): Promise<true> {
  await new Promise<void>((resolve, reject) => {
    void parse(request as unknown as Request, response, (error?: unknown) => {
      if (error instanceof Error) reject(error);
      else resolve();
    });
  });
  request.body ??= {};
  assertDepth(request.body);
  return true;
}
