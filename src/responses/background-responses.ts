import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { Principal } from '../auth/principal.js';
import type { CallContext } from '../calls/call-context.js';
import { Engine } from '../engine/engine.js';
import { placeOf } from '../engine/served-by.js';
import { describeError } from '../errors/describe-error.js';
import { invalidRequest, rateLimitExceeded, type GatewayError } from '../errors/gateway-error.js';
import { clientClosedRequest, toGatewayError } from '../errors/to-gateway-error.js';
import { InFlight } from '../lifecycle/in-flight.service.js';
import { TokenCounts } from '../model-endpoint/token-counts.js';
import { CHAT } from '../operations/chat/chat-operation.js';
import type { PreferredPlace } from '../operations/operation.js';
import { CancelSource } from '../runtime/cancel-signal.js';
import type { JsonObject } from '../runtime/json-value.js';
import { Periodic } from '../runtime/periodic.js';
import { failureOf } from '../wire/openai-responses/errors.js';
import { encryptedContents } from '../wire/openai-responses/native-input.js';
import type { PreparedResponse } from './prepared-response.js';
import { ReasoningOrigins } from './reasoning-origins.js';
import { HEARTBEAT_INTERVAL_MS, ResponseStore } from './response-store.js';
import { stateOf, writtenOf } from './written-response.js';

/** Responses that one process makes in the background. A bound on memory. */
const MAX_RUNS = 1_000;
const OVERLOAD_RETRY_MS = 5_000;
/** Attempts to store a finished response while the database does not respond. */
const STORE_ATTEMPTS = 5;
const STORE_RETRY_MS = 2_000;

/** A response in the background, as its work needs it. */
export interface BackgroundRun {
  readonly prepared: PreparedResponse;
  /** The caller's, without the client's connection. */
  readonly context: CallContext;
  /** Stores the whole response. @returns false where it was cancelled or deleted meanwhile */
  readonly finish: (
    response: JsonObject,
    contents: readonly string[],
    place: PreferredPlace | null,
  ) => Promise<boolean>;
  readonly fail: (error: unknown) => Promise<void>;
}

/**
 * Makes responses that no client waits for. Each is a call of this process, stored under its id from the beginning. Clients read
 * it until it is finished, in any process; a process that ends without finishing one leaves it without heartbeats, by which it is
 * found and marked as failed.
 */
@Injectable()
export class BackgroundResponses implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Responses');
  private readonly runs = new Map<
    string,
    { readonly cancel: CancelSource; readonly keyId: string; readonly id: string }
  >();
  private readonly working = new Set<Promise<void>>();
  private periodic: Periodic | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly inFlight: InFlight,
    private readonly responses: ResponseStore,
    private readonly origins: ReasoningOrigins,
    private readonly counts: TokenCounts,
  ) {}

  onApplicationBootstrap(): void {
    this.periodic = new Periodic(() => this.sendHeartbeats(), {
      intervalMs: HEARTBEAT_INTERVAL_MS,
      onError: (error) => this.logger.warn({ msg: 'heartbeats could not be stored', error: describeError(error) }),
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.periodic?.stop();
    await Promise.allSettled(this.working);
  }

  /**
   * Begins a response and returns it as queued.
   *
   * @throws GatewayError 404 or 403 for a model that the key cannot call, 429 where too many are made already
   */
  async start(prepared: PreparedResponse, context: CallContext): Promise<JsonObject> {
    await this.begin(prepared, context, (run) => this.complete(run));
    return stateOf(prepared, context, { status: 'queued', output: [] });
  }

  /** Stores a response that has not begun, and runs the work that finishes it. @returns when the response is stored */
  async begin(
    prepared: PreparedResponse,
    context: CallContext,
    work: (run: BackgroundRun) => Promise<void>,
  ): Promise<{ readonly done: Promise<void> }> {
    this.counts.allowed(prepared.canonical.model, context);
    if (this.runs.size >= MAX_RUNS) throw tooMany();
    const { principal } = context;
    const { keyId } = principal;
    const { responseId, previousId, input } = prepared;
    const cancel = new CancelSource();
    const own: CallContext = { ...context, signal: cancel, span: undefined };
    const name = `${keyId} ${responseId}`;
    this.runs.set(name, { cancel, keyId, id: responseId });
    try {
      const response = stateOf(prepared, own, { status: 'in_progress', output: [] });
      await this.responses.keep({ keyId, previousId, provider: null, input, response, isUnfinished: true });
    } catch (error) {
      this.runs.delete(name);
      throw error;
    }
    const call = this.inFlight.add(cancel, principal);
    const done = work(this.runOf(prepared, own)).finally(() => {
      this.runs.delete(name);
      this.working.delete(done);
      this.inFlight.release(call);
    });
    this.working.add(done);
    done.catch(() => undefined);
    return { done };
  }

  /**
   * Ends a response that is being made. One that is finished stays as it is.
   *
   * @throws GatewayError 404 for an id that the key does not have, 400 for a response that was not made in the background
   */
  async cancel({ keyId }: Principal, responseId: string): Promise<JsonObject> {
    const { response } = await this.responses.read(keyId, responseId);
    if (response['background'] !== true) {
      throw invalidRequest(
        'Only responses that were created with `background: true` can be cancelled. Close the connection to end any other.',
        null,
        'invalid_request',
      );
    }
    await this.responses.finish(keyId, responseId, { ...response, status: 'cancelled' });
    this.runs.get(`${keyId} ${responseId}`)?.cancel.abort(clientClosedRequest());
    return (await this.responses.read(keyId, responseId)).response;
  }

  private runOf(prepared: PreparedResponse, context: CallContext): BackgroundRun {
    const { keyId } = context.principal;
    const { responseId } = prepared;
    const store = (response: JsonObject): Promise<boolean> =>
      this.storeSurely(() => this.responses.finish(keyId, responseId, response));
    return {
      prepared,
      context,
      finish: async (response, contents, place) => {
        if (place !== null) await this.storeSurely(() => this.origins.keep(contents, place));
        return store({ ...response, id: responseId, background: true });
      },
      fail: async (thrown) => {
        const error = failureOf(toGatewayError(thrown));
        await store(stateOf(prepared, context, { status: 'failed', output: [], error }));
      },
    };
  }

  private async complete({ prepared, context, finish, fail }: BackgroundRun): Promise<void> {
    try {
      const completed = await this.engine.run(CHAT, { ...prepared.view, stream: false }, context);
      const { response, isNative } = writtenOf(completed.result, prepared, context);
      const contents = isNative ? encryptedContents(response['output']) : [];
      await finish(response, contents, isNative ? placeOf(completed) : null);
    } catch (error) {
      try {
        await fail(error);
      } catch (failure) {
        this.logger.error({ msg: 'a response in the background could not be stored', error: describeError(failure) });
      }
    }
  }

  /** Tries again while the database does not respond; the heartbeat of the response ends meanwhile. */
  private async storeSurely<Result>(store: () => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await store();
      } catch (error) {
        if (attempt === STORE_ATTEMPTS) throw error;
        await new Promise((resolve) => setTimeout(resolve, STORE_RETRY_MS).unref());
      }
    }
  }

  /** Stores heartbeats of the responses that this process makes, and ends those that were cancelled or deleted in another process. */
  private async sendHeartbeats(): Promise<void> {
    for (const { cancel, keyId, id } of [...this.runs.values()]) {
      if (!(await this.responses.sendHeartbeat(keyId, id))) cancel.abort(clientClosedRequest());
    }
  }
}

function tooMany(): GatewayError {
  return rateLimitExceeded({
    message: `This gateway already makes ${MAX_RUNS} responses in the background. Try again later, or send the request without 'background'.`,
    retryAfterMs: OVERLOAD_RETRY_MS,
  });
}
