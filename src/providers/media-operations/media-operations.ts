import type { ProviderConfig } from '../../config/gateway-config.js';
import { upstreamError } from '../../errors/gateway-error.js';
import type { ImageRequest } from '../../operations/images/image-request.js';
import type { ClientBody } from '../../operations/media/client-body.js';
import { isJson, readJsonObject, type RawResponse } from '../../operations/media/raw-response.js';
import type { OperationStream } from '../../operations/operation-types.js';
import type { SpeechRequest } from '../../operations/speech/speech-request.js';
import type { TranscriptionRequest } from '../../operations/transcription/transcription-request.js';
import { Upload } from '../../operations/upload/upload.js';
import { beginsAsJson, isObject } from '../../runtime/json-value.js';
import { mapErrorObject } from '../../wire/errors/map-error.js';
import { redactor, type Redact } from '../../wire/errors/redact.js';
import type { MediaOperationName } from '../definitions/types/operation-formats.js';
import { definitionOfType } from '../definitions/registry.js';
import { authorizerOf } from '../credentials/authorize.js';
import { jsonTargetOf, type JsonTarget } from '../json-operations/json-target.js';
import type { ProviderPart } from '../combined-provider.js';
import type { OperationPorts, ProviderCall } from '../provider.js';
import type { UpstreamByteStream } from '../transport/byte-stream.js';
import { headerOf, JsonClient } from '../transport/json-call.js';
import { rawStream } from './raw-stream.js';

type MediaRequest = ImageRequest | SpeechRequest | TranscriptionRequest;
/** Where a stream fits into one of these, it has no total size: each of its events is bounded. */
const UNBOUNDED = Number.MAX_SAFE_INTEGER;

/**
 * Images, speech and transcriptions of providers that have OpenAI's endpoints for them. Bodies are sent as the client sent them
 * with another model name, and responses come back byte for byte.
 */
export class MediaOperations implements ProviderPart {
  readonly ports: OperationPorts;
  private readonly client: JsonClient;
  private readonly url: JsonTarget['url'];
  private readonly redact: Redact;

  /** @param maxResponseBytes most bytes of a whole response, and of one event */
  constructor(
    config: ProviderConfig,
    private readonly options: { readonly maxResponseBytes: number },
  ) {
    const credentials = definitionOfType(config.type)?.credentials ?? 'bearer';
    const target = jsonTargetOf(config);
    this.client = new JsonClient(config, options.maxResponseBytes, authorizerOf(credentials, config));
    this.url = (path, model) => target.url(path, model);
    this.redact = redactor(config);
    const has = new Set(target.media);
    this.ports = {
      ...(has.has('images') && {
        images: {
          invoke: (call) => this.invoke(imagePath(call), call),
          open: (call) => this.open(imagePath(call), call),
        },
      }),
      ...(has.has('speech') && {
        speech: {
          invoke: (call) => this.invoke('/audio/speech', call),
          open: (call) => this.open('/audio/speech', call),
        },
      }),
      ...(has.has('transcription') && {
        transcription: {
          invoke: (call) => this.invoke(audioPath(call), call),
          open: (call) => this.open(audioPath(call), call),
        },
      }),
    };
  }

  async close(): Promise<void> {
    await this.client.close();
  }

  /** @throws GatewayError as for a completion; also where a response of status 200 is an error, or is cut */
  private async invoke(path: string, call: ProviderCall<MediaRequest>): Promise<RawResponse> {
    const stream = await this.send(path, call, this.options.maxResponseBytes);
    const chunks: Buffer[] = [];
    for await (const group of stream) chunks.push(...group);
    const response = { contentType: contentTypeOf(stream), body: Buffer.concat(chunks) };
    if (isJson(response)) this.assertResult(response.body);
    return response;
  }

  private async open<Name extends MediaOperationName>(
    path: string,
    call: ProviderCall<MediaRequest>,
  ): Promise<OperationStream<Name>> {
    const stream = await this.send(path, call, UNBOUNDED);
    return rawStream(stream, { contentType: contentTypeOf(stream) }, this.options.maxResponseBytes, this.redact);
  }

  /** The provider may work for as long as the whole call may take, before its first byte and between two of them. */
  private send(path: string, call: ProviderCall<MediaRequest>, maxResponseBytes: number): Promise<UpstreamByteStream> {
    const { request, upstreamModel, timeouts } = call;
    return this.client.open(
      {
        path: this.url(path, upstreamModel),
        body: bodyFor(request.body, upstreamModel),
        headers: { accept: '*/*' },
        maxResponseBytes,
      },
      { ...call, timeouts: { ...timeouts, firstByte: timeouts.total, idle: timeouts.total } },
    );
  }

  private assertResult(body: Buffer): void {
    const json = readJsonObject(body);
    if (json === undefined) {
      const mayBeBilled = beginsAsJson(body.toString('utf8', 0, 16));
      throw upstreamError({ message: 'The upstream provider sent a response that is not JSON.', mayBeBilled });
    }
    const hasResult = json['data'] !== undefined || json['text'] !== undefined;
    if (!hasResult && isObject(json['error'])) throw mapErrorObject(json, this.redact);
    if (!hasResult) throw upstreamError({ message: 'The upstream provider sent a response without a result.' });
  }
}

function imagePath({ request: { kind } }: ProviderCall<ImageRequest>): string {
  return kind === 'edit' ? '/images/edits' : '/images/generations';
}

function audioPath({ request: { kind } }: ProviderCall<TranscriptionRequest>): string {
  return kind === 'translation' ? '/audio/translations' : '/audio/transcriptions';
}

/** The client's body with the provider's name of the model, and without what is the gateway's own. */
function bodyFor(body: ClientBody, model: string): Parameters<JsonClient['call']>[0]['body'] {
  if (body instanceof Upload) return body.without(['strict_params']).bodyFor(model);
  const { strict_params: _own, ...fields } = body;
  return { ...fields, model };
}

function contentTypeOf({ headers }: UpstreamByteStream): string {
  return headerOf(headers, 'content-type') ?? 'application/octet-stream';
}
