import { CallHandler, ExecutionContext, Injectable, NestInterceptor, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Observable } from 'rxjs';
import { GatewayConfig } from '../config/gateway-config.js';
import { requestTooLarge, type BodyLimit } from './body-stream.js';
import { boundaryOf, isFormDataType } from './multipart/boundary.js';
import { decoderFor } from './content-encoding.js';
import { assertJsonType } from './content-type.js';
import { acceptBody } from './early-response.js';
import type { HttpRequest, HttpResponse } from './http-types.js';
import { readJson } from './read-json.js';

const MODEL_BODY = 'gateway:model-body';

/** The route takes prompts, so its body may be as large as `server.max_body_size`; all others take 1 MB. */
export const ModelBody = (): MethodDecorator & ClassDecorator => SetMetadata(MODEL_BODY, true);

const STREAMED_BODY = 'gateway:streamed-body';

/** The handler reads the body itself, as it arrives, up to `batch.max_body_size`; here only its head is checked. */
export const StreamedBody = (): MethodDecorator => SetMetadata(STREAMED_BODY, true);

const BODY_LIMIT = 'gateway:body-limit';

/** The route takes bodies of another size than other routes of its kind. */
export const LimitedBody = (limit: BodyLimit): MethodDecorator => SetMetadata(BODY_LIMIT, limit);

const UPLOAD_BODY = 'gateway:upload-body';

/** The content types of a route with files: only a form, or JSON as well. `file` is a form whose file is kept, `part` one with a part of such a file. */
type UploadKind = 'form' | 'form-or-json' | 'file' | 'part';

/**
 * The handler receives a form with files itself, up to `server.max_upload_size`, or `files.max_size` where the file is kept; here only
 * its head is checked.
 */
export const UploadBody = (kind: UploadKind): MethodDecorator => SetMetadata(UPLOAD_BODY, kind);

/** Bytes of the fields and headers of a form that are added to the limit of its file. */
const MAX_FIELD_BYTES = 64 * 1024;

const DEFAULT_LIMIT: BodyLimit = { maxBytes: 1024 * 1024, advice: 'Send less.' };

/** The limit of a form with a part of a file: 64 MB, as OpenAI's API has it, and the head of the part. */
export const PART_LIMIT: BodyLimit = {
  maxBytes: 64 * 1024 * 1024 + MAX_FIELD_BYTES,
  advice: 'Send smaller parts, of at most 64 MB.',
};

/** How a handler's bodies are read. */
interface BodyRule {
  readonly isStreamed: boolean;
  /** Whether it is a prompt, which is sent to a provider with the exact digits of its integers. */
  readonly isModel: boolean;
  readonly limit: BodyLimit;
  /** Whether a form with files may come. */
  readonly upload: UploadKind | undefined;
}

/** The limit of a submission, for the interceptor and for what reads the body. */
export function batchBodyLimit(maxBytes: number): BodyLimit {
  return { maxBytes, advice: 'Split the batch, or ask the operator to raise batch.max_body_size.' };
}

/** The limit of a form with files, for the interceptor and for what reads the body. */
export function uploadLimit(maxBytes: number): BodyLimit {
  return { maxBytes, advice: 'Send less, or ask the operator to raise server.max_upload_size.' };
}

/** The limit of a form with a file that is kept: the file, and its other fields. */
export function fileLimit(maxBytes: number): BodyLimit {
  return { maxBytes: maxBytes + MAX_FIELD_BYTES, advice: 'Send less, or ask the operator to raise files.max_size.' };
}

/**
 * Reads the JSON body. Nest runs interceptors after guards and before pipes: without a valid key no byte of a body is read,
 * inflated or parsed, and DTOs get what was read. The limit is that of the handler, not of a URL. The head is checked before a
 * client that sends `expect: 100-continue` is asked to continue.
 */
@Injectable()
export class JsonBodyInterceptor implements NestInterceptor {
  private readonly rules = new Map<unknown, BodyRule>();
  private readonly modelLimit: BodyLimit;
  private readonly batchLimit: BodyLimit;
  private readonly uploadLimit: BodyLimit;
  private readonly fileLimit: BodyLimit;

  constructor(
    private readonly reflector: Reflector,
    config: GatewayConfig,
  ) {
    this.modelLimit = {
      maxBytes: config.server.maxBodySize,
      advice: 'Send less, or ask the operator to raise server.max_body_size.',
    };
    this.batchLimit = batchBodyLimit(config.batch.maxBodySize);
    this.uploadLimit = uploadLimit(config.server.maxUploadSize);
    this.fileLimit = fileLimit(config.files.maxSize);
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> | Promise<Observable<unknown>> {
    const reading = this.read(context);
    return reading === undefined ? next.handle() : reading.then(() => next.handle());
  }

  /**
   * Reads the body into the request.
   *
   * @returns undefined where nothing is waited for
   * @throws GatewayError 400, 413 or 415 for a body that the handler does not take
   */
  read(context: ExecutionContext): Promise<void> | undefined {
    const request = context.getArgByIndex<HttpRequest>(0);
    if (request.method === 'GET' || request.method === 'HEAD') return undefined;
    const { headers } = request;
    const length = headers['content-length'];
    if (length === undefined && headers['transfer-encoding'] === undefined) {
      request.body = {};
      return undefined;
    }
    const contentType = headers['content-type'] ?? '';
    const { isStreamed, isModel, upload, ...rule } = this.ruleFor(context);
    const isForm = upload !== undefined && (upload !== 'form-or-json' || isFormDataType(contentType));
    const limit = isForm ? this.formLimit(upload) : rule.limit;
    if (isForm) boundaryOf(contentType);
    else if (contentType !== 'application/json' && length !== '0') assertJsonType(contentType);
    if (length !== undefined && Number(length) > limit.maxBytes) throw requestTooLarge(limit);
    if (headers['content-encoding'] !== undefined) decoderFor(headers['content-encoding']);
    acceptBody(request, context.getArgByIndex<HttpResponse>(1));
    return isStreamed || isForm ? undefined : readInto(request, limit, isModel);
  }

  private formLimit(kind: UploadKind): BodyLimit {
    if (kind === 'file') return this.fileLimit;
    return kind === 'part' ? PART_LIMIT : this.uploadLimit;
  }

  private ruleFor(context: ExecutionContext): BodyRule {
    const handler = context.getHandler();
    let rule = this.rules.get(handler);
    if (rule === undefined) {
      const targets = [handler, context.getClass()];
      const isStreamed = this.reflector.get<boolean | undefined>(STREAMED_BODY, handler) === true;
      const isModel = this.reflector.getAllAndOverride<boolean | undefined>(MODEL_BODY, targets) === true;
      const upload = this.reflector.get<UploadKind | undefined>(UPLOAD_BODY, handler);
      const own = this.reflector.get<BodyLimit | undefined>(BODY_LIMIT, handler) ?? DEFAULT_LIMIT;
      const limit = isStreamed ? this.batchLimit : isModel ? this.modelLimit : own;
      rule = { isStreamed, isModel, limit, upload };
      this.rules.set(handler, rule);
    }
    return rule;
  }
}

async function readInto(request: HttpRequest, limit: BodyLimit, isModel: boolean): Promise<void> {
  request.body = await readJson(request, limit, isModel);
}
