import type { CallContext } from '../calls/call-context.js';
import type { HookedCall } from '../calls/call-hook.js';
import type { CallEvents } from '../calls/call-events.js';
import type { AttemptOutcome, CallOutcome, CallStatus, HookResponder } from '../calls/call-outcome.js';
import type { CallTrace } from '../calls/call-tracing.js';
import { toGatewayError } from '../errors/to-gateway-error.js';
import type { Admission } from '../limits/admission.js';
import type { BilledUsage } from '../operations/billed-tokens.js';
import type { Collector, Operation } from '../operations/operation.js';
import type { OperationName, RequestOf, ResultOf } from '../operations/operation-types.js';
import type { Deployment } from '../routing/resolved-model.js';
import type { RoutingTable } from '../routing/routing-table.js';
import { toDollars, type NanoDollars } from '../runtime/nano-dollars.js';
import { priceTierOf, type PriceTier } from '../runtime/price-tier.js';
import { steadyNow } from '../runtime/steady-clock.js';
import type { HookRunner } from './hook-runner.js';

/** The cost of usage at a deployment; null when its price is unknown. */
export type CostOf = (usage: BilledUsage, deployment: Deployment, tier?: PriceTier) => Promise<NanoDollars | null>;

interface RunningAttempt {
  readonly model: string;
  readonly deployment: Deployment;
  readonly startedAt: number;
  readonly started: number;
  firstByte: number | null;
}

/** Follows one call through its attempts, and reports its outcome once. Until then it holds on to its routing table. */
export class TrackedCall<Name extends OperationName> implements HookedCall<Name> {
  /** Its reservations, which accounting settles. */
  admission: Admission | undefined;
  /** Fields and headers of the request that the last attempt did not send. */
  droppedParams: readonly string[] = [];
  /** Events of the provider's stream that could not be read and were left out. */
  skippedEvents = 0;
  /** How often another deployment has gone on with the stream. */
  recovered = 0;
  /** A stream broke, and no other deployment could go on with it. */
  hasFailedRecovery = false;
  /** Epoch milliseconds. */
  readonly startedAt = steadyNow();
  readonly collector: Collector<Name>;
  private readonly started = performance.now();
  private readonly attempts: AttemptOutcome[] = [];
  private hookResponder: HookResponder | undefined;
  private running: RunningAttempt | undefined;
  private firstByte: number | null = null;
  private hasEnded = false;
  private price: Promise<NanoDollars | null> | undefined;
  /** What the collector held of the usage of a stream that broke; it is counted with that attempt. */
  private brokenUsage: BilledUsage | undefined;

  constructor(
    readonly operation: Operation<Name>,
    readonly request: RequestOf<Name>,
    readonly context: CallContext,
    readonly isStream: boolean,
    private readonly events: CallEvents,
    readonly table: RoutingTable,
    private readonly costOf: CostOf,
    readonly hooks: HookRunner,
    readonly trace: CallTrace | undefined,
  ) {
    this.collector = operation.collector(request, hooks.detailOf(this));
    table.hold();
  }

  /** @returns headers to send to the provider */
  attemptBegins(model: string, deployment: Deployment, headers: CallContext['headers']): CallContext['headers'] {
    this.running = { model, deployment, startedAt: steadyNow(), started: performance.now(), firstByte: null };
    return this.trace === undefined ? headers : { ...headers, ...this.trace.attemptBegins(deployment) };
  }

  /** @returns milliseconds since the attempt began */
  responds(): number {
    const now = performance.now();
    this.firstByte ??= now - this.started;
    if (this.running === undefined) return 0;
    return (this.running.firstByte = now - this.running.started);
  }

  /** The cost of the reported usage, as in the outcome. */
  readonly costNanos = (): Promise<NanoDollars | null> => {
    const deployment = this.attempts.at(-1)?.deployment;
    const { reported } = this;
    this.price ??=
      reported === undefined || deployment === undefined
        ? Promise.resolve(null)
        : this.costOf(reported, deployment, this.tier);
    return this.price;
  };

  /** The cost in US dollars. */
  readonly cost = async (): Promise<number | null> => {
    const nanos = await this.costNanos();
    return nanos === null ? null : toDollars(nanos);
  };

  private get tier(): PriceTier | undefined {
    return this.context.deferred === undefined ? priceTierOf(this.collector.serviceTier) : 'batch';
  }

  /** What the last attempt reported. */
  private get reported(): BilledUsage | undefined {
    const { billed } = this.collector;
    return billed === this.brokenUsage ? undefined : billed;
  }

  /** A hook gives the response in place of all attempts. */
  shortCircuited(by: HookResponder): void {
    this.hookResponder = by;
    this.responds();
  }

  /** Reserves more where the provider may bill the last attempt. @returns false if the budget does not cover another attempt */
  async mayTryAgain(): Promise<boolean> {
    if (this.attempts.at(-1)?.mayBeBilled !== true) return true;
    if ((await this.context.coverAnother?.()) === false) return false;
    return this.admission === undefined || this.admission.coverAnother();
  }

  /** Ends the call with its whole response. */
  completed(result: ResultOf<Name>): void {
    this.collector.completed(result);
    this.end('succeeded', null);
  }

  /** Ends the call of a stream that was received completely. */
  streamEnded(): void {
    this.end('succeeded', null);
  }

  /** Ends the call with its error; without one if its client has disconnected. */
  broken(error: unknown): void {
    this.end(this.context.signal.aborted ? 'abandoned' : 'failed', error ?? this.context.signal.reason);
  }

  /**
   * @param error null when the attempt returned the whole response
   * @param consumed what the provider consumed, where that is known of an attempt that broke
   */
  attemptEnds(error: unknown, consumed?: BilledUsage): void {
    if (this.running === undefined) return;
    const { model, deployment, startedAt, started, firstByte } = this.running;
    this.running = undefined;
    if (consumed !== undefined) this.brokenUsage = this.collector.billed;
    const failure = error === null ? null : toGatewayError(error);
    const hasResponded = failure === null || firstByte !== null;
    this.attempts.push({
      model,
      deployment,
      startedAt,
      firstByte,
      duration: performance.now() - started,
      error: failure,
      consumed,
      mayBeBilled: hasResponded || failure.mayBeBilled || this.context.signal.aborted,
    });
  }

  /** Ends a call that has no outcome, because it is made later. */
  discard(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.table.release();
  }

  private end(status: CallStatus, error: unknown): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.table.release();
    this.attemptEnds(error);
    const outcome: CallOutcome = {
      operation: this.operation,
      request: this.request,
      context: this.context,
      isStream: this.isStream,
      status,
      error: error === null ? null : toGatewayError(error),
      hookResponder: this.hookResponder,
      attempts: this.attempts,
      startedAt: this.startedAt,
      firstByte: this.firstByte,
      duration: performance.now() - this.started,
      reported: this.reported,
      cost: this.cost,
      costNanos: this.costNanos,
      collector: this.collector,
      trace: this.trace,
      admission: this.admission,
      droppedParams: this.droppedParams,
      skippedEvents: this.skippedEvents,
      recovered: this.recovered,
      hasFailedRecovery: this.hasFailedRecovery,
    };
    try {
      this.hooks.after(outcome);
      this.trace?.ended(outcome);
    } finally {
      // Accounting releases the reservations even if tracing fails.
      this.events.ended(outcome);
    }
  }
}
