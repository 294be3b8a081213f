import { Injectable, Optional } from '@nestjs/common';
import type { CallContext } from '../calls/call-context.js';
import { CallEvents } from '../calls/call-events.js';
import type { DeferredCall } from '../calls/deferred-call.js';
import { CallTracing } from '../calls/call-tracing.js';
import type { Operation } from '../operations/operation.js';
import type {
  ChunkOf,
  HeadOf,
  OperationName,
  OperationStream,
  RequestOf,
  ResultOf,
} from '../operations/operation-types.js';
import { Pricing } from '../pricing/pricing.service.js';
import { Routing } from '../routing/routing.service.js';
import type { CancelSignal } from '../runtime/cancel-signal.js';
import { AttemptLoop } from './attempt-loop.js';
import { DeferredRun } from './deferred-run.js';
import { CallStream, type StreamOrigin } from './call-stream.js';
import { HookRunner } from './hook-runner.js';
import { PrefillSupport } from './recovery/prefill.js';
import { recoveryOf } from './recovery/stream-recovery.js';
import { operationNotServed } from './served-operation.js';
import type { ServedBy } from './served-by.js';
import { TrackedCall, type CostOf } from './tracked-call.js';

/** A whole response. */
export interface WholeResponse<Name extends OperationName> extends ServedBy {
  readonly result: ResultOf<Name>;
  /** US dollars; null when the price or the usage is unknown. */
  readonly cost: number | null;
}

/** A response that comes in chunks. */
export interface Streaming<Name extends OperationName> extends ServedBy {
  readonly head: HeadOf<Name> | undefined;
  /** In the operation's order. Throws a GatewayError when the stream fails. */
  readonly chunks: AsyncIterable<readonly ChunkOf<Name>[]>;
  /** Aborted when the client has disconnected, and when the total timeout is over. */
  readonly signal: CancelSignal;
  /**
   * Must be called when the stream has been sent or could not be: releases all that it still holds, at the deployment and in
   * limits, and ends the provider's stream. No effect where the stream has ended.
   *
   * @param error what kept it from being sent
   */
  readonly close: (error?: unknown) => void;
  /** What became of it, as far as it has come. */
  readonly facts: StreamFacts;
}

/** The access log's members of a stream that has ended. */
export interface StreamFacts {
  /** Events of the provider that were no JSON and were left out. */
  readonly skippedEvents: number;
  /** How often another deployment has gone on with the stream. */
  readonly recovered: number;
}

/**
 * Runs calls of any operation: resolves the model, checks that the key may call it, reserves limits, and tries the model's
 * deployments until one responds. Used for live requests and for batch tasks.
 */
@Injectable()
export class Engine {
  private readonly prefills = new PrefillSupport();

  constructor(
    private readonly pricing: Pricing,
    private readonly routing: Routing,
    private readonly attempts: AttemptLoop,
    private readonly events: CallEvents,
    private readonly hooks: HookRunner,
    private readonly deferred: DeferredRun,
    @Optional() private readonly tracing?: CallTracing,
  ) {}

  /** @throws GatewayError as documented; an abort rejects with the signal's reason */
  async run<Name extends OperationName>(
    operation: Operation<Name>,
    request: RequestOf<Name>,
    context: CallContext,
  ): Promise<WholeResponse<Name>> {
    const { deferred } = context;
    if (deferred !== undefined) return this.runDeferred(operation, request, context, deferred);
    const call = this.track(operation, request, context, false);
    try {
      const whole = await this.attempts.run(call, {
        attempt: async ({ port, providerCall, attempt, servedBy }) => {
          const result = await port.invoke(providerCall);
          attempt.slot.health.responded(call.responds());
          return Object.assign(servedBy, { result });
        },
        shortCircuit: ({ result, source }, servedBy) => {
          if (result === undefined)
            throw new TypeError(`the hook '${source}' has no result for a call that is no stream`);
          return Object.assign(servedBy, { result });
        },
      });
      call.completed(whole.result);
      return Object.assign(whole, { cost: await call.cost() });
    } catch (error) {
      call.broken(error);
      throw error;
    }
  }

  /** Resolves with the first chunk, so that an upstream that refuses still sets the HTTP status. */
  async stream<Name extends OperationName>(
    operation: Operation<Name>,
    request: RequestOf<Name>,
    context: CallContext,
  ): Promise<Streaming<Name>> {
    const call = this.track(operation, request, context, true);
    try {
      return await this.attempts.run(call, {
        attempt: async ({ port, providerCall, attempt, servedBy, resume }) => {
          if (port.open === undefined) throw operationNotServed(call, servedBy.model, [servedBy.provider]);
          const opened = await port.open(providerCall);
          const { request: asked, signal } = providerCall;
          const mode = context.overrides?.streamRecovery;
          const recovery = recoveryOf(operation.name, asked, attempt.model, mode, this.prefills);
          const origin: StreamOrigin<Name> = { attempt, signal, resume, recovery };
          const chunks = new CallStream(opened, call, origin, signal);
          attempt.slot.health.responded(call.responds());
          return streaming(opened, chunks, call, servedBy);
        },
        shortCircuit: ({ chunks, source }, servedBy) => {
          if (chunks === undefined) throw new TypeError(`the hook '${source}' has no chunks for a stream`);
          return streaming(chunks, new CallStream(chunks, call, undefined, context.signal), call, servedBy);
        },
      });
    } catch (error) {
      call.broken(error);
      throw error;
    }
  }

  private async runDeferred<Name extends OperationName>(
    operation: Operation<Name>,
    request: RequestOf<Name>,
    context: CallContext,
    deferred: DeferredCall,
  ): Promise<WholeResponse<Name>> {
    const call = this.track(operation, request, context, false);
    const { exchange } = deferred;
    if (exchange === undefined) return this.deferred.compose(call, deferred);
    try {
      const whole = await this.deferred.settle(call, deferred, exchange);
      call.completed(whole.result);
      return Object.assign(whole, { cost: await call.cost() });
    } catch (error) {
      call.broken(error);
      throw error;
    }
  }

  private readonly costOf: CostOf = (usage, deployment, tier) => this.pricing.costOf(usage, deployment, tier);

  private track<Name extends OperationName>(
    operation: Operation<Name>,
    request: RequestOf<Name>,
    context: CallContext,
    isStream: boolean,
  ): TrackedCall<Name> {
    // Of a deferred call the completion is traced.
    const isWrittenAlone = context.deferred !== undefined && context.deferred.exchange === undefined;
    const trace = isWrittenAlone ? undefined : this.tracing?.begin(operation, request, context, isStream);
    const { current } = this.routing;
    return new TrackedCall(operation, request, context, isStream, this.events, current, this.costOf, this.hooks, trace);
  }
}

function streaming<Name extends OperationName>(
  { head }: OperationStream<Name>,
  chunks: CallStream<Name>,
  facts: StreamFacts,
  servedBy: ServedBy,
): Streaming<Name> {
  const close = (error?: unknown): void => chunks.close(error);
  const { signal } = chunks;
  return Object.assign(servedBy, { head, chunks, signal, close, facts });
}
