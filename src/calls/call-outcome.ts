import type { CallContext } from './call-context.js';
import type { CallTrace } from './call-tracing.js';
import type { BilledUsage } from '../operations/billed-tokens.js';
import type { NanoDollars } from '../runtime/nano-dollars.js';
import type { GatewayError } from '../errors/gateway-error.js';
import type { Deployment } from '../routing/resolved-model.js';
import type { Admission } from '../limits/admission.js';
import type { UsageRecord } from '../usage/records/usage-record.entity.js';
import type { AnyOperation, Collector } from '../operations/operation.js';
import type { OperationName, RequestOf } from '../operations/operation-types.js';

/** `abandoned`: the response was no longer needed: its client disconnected, its batch was cancelled, or a shutdown aborted it. */
export type CallStatus = 'succeeded' | 'failed' | 'abandoned';

/** Takes the finished usage records of a call, which the receiver must store. */
export type TakeUsage = (records: Promise<readonly UsageRecord[]>) => void;

/** One upstream call. Times in milliseconds. */
export interface AttemptOutcome {
  /** The configured model whose deployment was tried: the requested one, or a fallback. */
  readonly model: string;
  readonly deployment: Deployment;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Time from its start to its first byte; null when none was received. */
  readonly firstByte: number | null;
  readonly duration: number;
  /** Null when this attempt returned the whole response. */
  readonly error: GatewayError | null;
  /** Whether the provider may bill it, as far as is known: it responded, or it was abandoned while it was working. */
  readonly mayBeBilled: boolean;
  /** What the provider consumed before its stream broke and another deployment went on with it; estimated in part. */
  readonly consumed?: BilledUsage | undefined;
}

/** Who gave the response of a call that reached no provider. */
export interface HookResponder {
  /** As the hook names it, such as `cache`; it stands where the name of a provider would. */
  readonly source: string;
  /** The configured model that was requested. */
  readonly model: string;
}

/**
 * The outcome of one request to a model, live or of a batch, with all its attempts. Usage records, limits, metrics and traces
 * are derived from it. Times in milliseconds.
 */
export interface CallOutcome {
  readonly operation: AnyOperation;
  readonly request: RequestOf<OperationName>;
  readonly context: CallContext;
  readonly isStream: boolean;
  readonly status: CallStatus;
  /** Null when it succeeded. */
  readonly error: GatewayError | null;
  /** The hook that gave the response in place of a provider; undefined for any other call. */
  readonly hookResponder: HookResponder | undefined;
  /** In order; empty when the request was refused before any was made, or a hook gave the response. The last one returned the response, if there was one. */
  readonly attempts: readonly AttemptOutcome[];
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** From the start of the request to the first byte for the client; null when none was received. */
  readonly firstByte: number | null;
  readonly duration: number;
  /** The billed usage as the provider reported it; undefined when it reported none, or none that can be read. */
  readonly reported: BilledUsage | undefined;
  /** US dollars of that usage, computed once for all readers; null when the usage or the price is unknown. */
  readonly cost: () => Promise<number | null>;
  /** The cost as a checked amount. */
  readonly costNanos: () => Promise<NanoDollars | null>;
  /** The received part of the response: reported usage, estimates, and the response itself if it is stored. */
  readonly collector: Collector<OperationName>;
  /** Fields and headers of the request that the provider did not receive, by the client's names; usually empty. */
  readonly droppedParams: readonly string[];
  /** Events of streams that could not be read and were left out. */
  readonly skippedEvents: number;
  /** How often another deployment has gone on with the stream. */
  readonly recovered: number;
  /** A stream broke, and no other deployment could go on with it. */
  readonly hasFailedRecovery: boolean;
  /** Its spans, where tracing is on; they are ended after the hooks. */
  readonly trace: CallTrace | undefined;
  /** Its reservations; undefined where nothing is limited. */
  readonly admission: Admission | undefined;
}

/** The provider that was called last, or the hook that gave the response; undefined where the request was refused before. */
export function responderOf({
  attempts,
  hookResponder,
}: Pick<CallOutcome, 'attempts' | 'hookResponder'>): string | undefined {
  return attempts.at(-1)?.deployment.provider.name ?? hookResponder?.source;
}
