import type { CallContext } from './call-context.js';
import type { BilledUsage } from '../operations/billed-tokens.js';
import type { NanoDollars } from '../runtime/nano-dollars.js';
import type { GatewayError } from '../errors/gateway-error.js';
import type { Deployment } from '../routing/resolved-model.js';
import type { Admission } from '../limits/limits.service.js';
import type { UsageRecord } from '../usage/records/usage-record.entity.js';
import type { AnyOperation, Collector } from '../operations/operation.js';
import type { OperationName, RequestOf } from '../operations/operation-types.js';

/** `abandoned`: nobody waited for the answer any more: its client went away, its batch was cancelled, or a shutdown broke it off. */
export type CallStatus = 'succeeded' | 'failed' | 'abandoned';

/** Takes the finished usage records of a call, to be stored by whoever takes them. */
export type TakeUsage = (records: Promise<readonly UsageRecord[]>) => void;

/** One upstream call. Times in milliseconds. */
export interface AttemptOutcome {
  /** The configured model that the deployment was tried for: the one asked for, or a fallback. */
  readonly model: string;
  readonly deployment: Deployment;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** From its start to its first byte; null when none came. */
  readonly firstByte: number | null;
  readonly duration: number;
  /** Null when this attempt gave the whole answer. */
  readonly error: GatewayError | null;
  /** Whether the provider may bill it, as far as is known: it responded, or it was given up while it was at work. */
  readonly mayBeBilled: boolean;
}

/**
 * How one request to a model ended, live or of a batch, with all its attempts: what usage records, limits, metrics and
 * traces are made of. Times in milliseconds.
 */
export interface CallOutcome {
  readonly operation: AnyOperation;
  readonly request: RequestOf<OperationName>;
  readonly context: CallContext;
  readonly isStream: boolean;
  readonly status: CallStatus;
  /** Null when it succeeded. */
  readonly error: GatewayError | null;
  /** In order; empty when the request was refused before any was made. The last one gave the answer, if there was one. */
  readonly attempts: readonly AttemptOutcome[];
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** From the start of the request to the first byte that was for the client; null when none came. */
  readonly firstByte: number | null;
  readonly duration: number;
  /** What the provider's usage bills; undefined when it reported none, or none that can be read. */
  readonly reported: BilledUsage | undefined;
  /** US dollars of that usage, found out once for all who ask; null when the usage or the price is unknown. */
  readonly cost: () => Promise<number | null>;
  /** The same as a checked amount. */
  readonly costNanos: () => Promise<NanoDollars | null>;
  /** What came of the response: usage as reported, estimates, and the response itself where it is kept. */
  readonly collector: Collector<OperationName>;
  /** Fields and headers of the request that the provider did not get, by the client's names; empty as a rule. */
  readonly droppedParams: readonly string[];
  /** What was set aside for it; undefined where nothing is limited. */
  readonly admission: Admission | undefined;
}
