import type { Span } from '@opentelemetry/api';
import type { Principal } from '../auth/principal.js';
import type { CancelSignal } from '../runtime/cancel-signal.js';
import type { DeferredCall } from './deferred-call.js';
import type { CallSession } from './call-session.js';
import type { RoutingOverrides } from './routing-overrides.js';
import type { TakeUsage } from './call-outcome.js';

/** The caller and its bounds; the same for a live request and a task of a batch. */
export interface CallContext {
  readonly principal: Principal;
  readonly requestId: string;
  /** Whether a client or a batch waits for the response. */
  readonly source: 'live' | 'batch';
  /** The client's headers that the allow-list lets through to the upstream, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The wire format of the client, where the request does not say it itself. */
  readonly wireFormat?: string | undefined;
  /** The session that the client names. */
  readonly session?: CallSession | undefined;
  /** Overrides of a trusted key for this request alone. */
  readonly overrides?: RoutingOverrides | undefined;
  /** The batch that the call is a task of. */
  readonly task?: { readonly jobId: string; readonly index: number } | undefined;
  /**
   * Takes over the usage records of the call, which the gateway then does not write itself: a batch writes them in the transaction
   * of the task's result. Called once, before the call resolves or rejects; the promise never rejects.
   */
  readonly takeUsage?: TakeUsage | undefined;
  /** Only deployments with this tier are called, and in this tier. */
  readonly serviceTier?: 'flex' | undefined;
  /** The response comes by a batch of the provider. */
  readonly deferred?: DeferredCall | undefined;
  /**
   * Reserves the cost of a further attempt after one that its provider may bill, beside the budgets of the key: of a batch with
   * `max_cost_usd`. Resolves to false if it does not cover it.
   */
  readonly coverAnother?: (() => Promise<boolean>) | undefined;
  /** The span of the HTTP request, where tracing is on. */
  readonly span?: Span | undefined;
  /** Aborted when the client has disconnected, or when the timeout of a shutdown is over. */
  readonly signal: CancelSignal;
}
