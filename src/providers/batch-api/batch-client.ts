import type { ProviderConfig } from '../../config/gateway-config.js';
import { GatewayError, upstreamError } from '../../errors/gateway-error.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import type { Authorize } from '../credentials/authorize.js';
import type { ProviderOptions } from '../provider.js';
import { JsonClient, type CallContext, type JsonCall } from '../transport/json-call.js';
import type { BatchCall } from './batch-api.js';
import { linesOf } from './lines-of.js';

/** Milliseconds for the whole of a call that is no upload and no download, and for the whole of an upload. */
const CALL_TIMEOUT_MS = 60_000;
const UPLOAD_TIMEOUT_MS = 15 * 60_000;
/** Milliseconds of silence that end a download. */
const IDLE_TIMEOUT_MS = 60_000;
/** Bytes of a response about a batch or a list of them. */
const MAX_RESPONSE_BYTES = 16 * 1024 * 1024;

/** A call whose response headers are asked for as well. */
type ClientCall = BatchCall & Pick<CallContext, 'onHeaders'>;

/** Calls of a provider's batch API, with the credentials and headers of all its other calls. */
export class BatchClient {
  private readonly client: JsonClient;
  private readonly connectMs: number;

  constructor(config: ProviderConfig, authorize: Authorize, { connectTimeoutMs }: ProviderOptions) {
    this.connectMs = connectTimeoutMs;
    this.client = new JsonClient(config, MAX_RESPONSE_BYTES, authorize);
  }

  /** @throws GatewayError as a call of a model does, and where the answer is no object */
  async json(call: JsonCall, batchCall: ClientCall, timeoutMs = CALL_TIMEOUT_MS): Promise<JsonObject> {
    const text = await this.text(call, batchCall, timeoutMs);
    try {
      const value: unknown = text.trim() === '' ? {} : JSON.parse(text);
      if (isObject(value)) return value;
    } catch {
      // Said below.
    }
    throw upstreamError({ message: 'The batch API of the provider did not respond with a JSON object.' });
  }

  /** @throws GatewayError as a call of a model does */
  async text(
    call: JsonCall,
    { requestId, signal, onHeaders }: ClientCall,
    timeoutMs = CALL_TIMEOUT_MS,
  ): Promise<string> {
    const timeouts = { connect: this.connectMs, firstByte: Infinity, idle: Infinity, total: timeoutMs };
    const limited = withTimeout(signal, timeoutMs);
    try {
      const context = { timeouts, requestId, headers: {}, signal: limited.signal, ...(onHeaders && { onHeaders }) };
      return (await this.client.call(call, context)).text;
    } catch (error) {
      if (limited.isOver()) throw upstreamError({ message: 'The batch API of the provider did not respond in time.' });
      throw error;
    } finally {
      limited.clear();
    }
  }

  upload(call: JsonCall, batchCall: BatchCall): Promise<JsonObject> {
    return this.json(call, batchCall, UPLOAD_TIMEOUT_MS);
  }

  uploadText(call: JsonCall, batchCall: BatchCall): Promise<string> {
    return this.text(call, batchCall, UPLOAD_TIMEOUT_MS);
  }

  /** The lines of a download, as they come. */
  async *lines(path: string, headers: JsonCall['headers'], { requestId, signal }: BatchCall): AsyncGenerator<string> {
    const timeouts = {
      connect: this.connectMs,
      firstByte: CALL_TIMEOUT_MS,
      idle: IDLE_TIMEOUT_MS,
      total: Infinity,
    };
    const call: JsonCall = {
      method: 'GET',
      path,
      headers: { accept: '*/*', ...headers },
      maxResponseBytes: Number.MAX_SAFE_INTEGER,
    };
    yield* linesOf(await this.client.open(call, { timeouts, requestId, headers: {}, signal }));
  }

  close(): Promise<void> {
    return this.client.close();
  }
}

/** Sends a request to cancel a batch, which may have ended meanwhile or be gone. */
export async function cancelBatch(
  client: Pick<BatchClient, 'json'>,
  request: JsonCall,
  call: BatchCall,
): Promise<void> {
  try {
    await client.json(request, call);
  } catch (error) {
    if (!isGoneOrDone(error)) throw error;
  }
}

/** Whether the provider says that there is no such batch or file, or that it can no longer be changed. */
function isGoneOrDone(error: unknown): boolean {
  return error instanceof GatewayError && [400, 404, 409, 422].includes(error.upstream?.status ?? error.status);
}

interface LimitedSignal {
  readonly signal: AbortSignal;
  isOver(): boolean;
  clear(): void;
}

function withTimeout(signal: BatchCall['signal'], timeoutMs: number): LimitedSignal {
  const controller = new AbortController();
  let isOver = false;
  const onAbort = (): void => controller.abort(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => {
    isOver = true;
    controller.abort(new Error('The call took too long.'));
  }, timeoutMs);
  timer.unref();
  return {
    signal: controller.signal,
    isOver: () => isOver,
    clear: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}
