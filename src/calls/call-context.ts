import type { Span } from '@opentelemetry/api';
import type { Principal } from '../auth/principal.js';
import type { CancelSignal } from '../runtime/cancel-signal.js';
import type { RoutingOverrides } from './routing-overrides.js';
import type { TakeUsage } from './call-outcome.js';

/** Who calls and how long they wait; the same for a live request and a batch's task. */
export interface CallContext {
  readonly principal: Principal;
  readonly requestId: string;
  /** Whether a client waits for the answer, or a batch. */
  readonly source: 'live' | 'batch';
  /** The client's headers that the allow-list lets through to the upstream, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** What a trusted key asked for in this request alone. */
  readonly overrides?: RoutingOverrides | undefined;
  /** The batch that the call is a task of. */
  readonly task?: { readonly jobId: string; readonly index: number } | undefined;
  /**
   * Takes over the usage records of the call, which are then not written by the gateway itself: a batch writes them in the
   * transaction of the task's result. Called once, before the call resolves or rejects; the promise never rejects.
   */
  readonly takeUsage?: TakeUsage | undefined;
  /** Of the HTTP request, where tracing is on. */
  readonly span?: Span | undefined;
  /** Aborted when the client has gone, or when a shutdown runs out of patience. */
  readonly signal: CancelSignal;
}
