import type { Fault } from '../upstreams/chaos/faults.js';
import type { ResponseKind } from '../upstreams/chaos/right-response.js';

/** How a response ended by itself. */
export type End = 'stop' | 'content filter' | 'length';

/** One request that a provider received. */
export interface ProviderAttempt {
  /** Of the client's request. */
  readonly id: number;
  readonly provider: string;
  /** Among all requests to providers. */
  readonly order: number;
  readonly fault: Fault;
  readonly isStream: boolean;
  /** It was asked to go on from a text that is no beginning of the right response. */
  readonly isWrongPrefill: boolean;
  /** Billed: what was generated, whether or not the caller got it. */
  promptTokens: number;
  completionTokens: number;
  /** The whole response was sent, with its usage. */
  isReported: boolean;
  /** An outage of the provider closed its connection, so that it is not known what of it arrived. */
  isBroken: boolean;
  /** Undefined where it did not end by itself. */
  end: End | undefined;
}

/**
 * How a client sees the end: `whole` with the end of its format; `error` with an event or a body; `left` itself; `cut` with neither;
 * `malformed` against the rules of its format.
 */
export type Ending = 'whole' | 'error' | 'left' | 'cut' | 'malformed';

/** What one client received. */
export interface ClientResponse {
  readonly id: number;
  readonly kind: ResponseKind;
  readonly format: string;
  readonly isStream: boolean;
  /** The `n` of the request. */
  readonly choices: number;
  readonly status: number;
  readonly ending: Ending;
  /** Why it is malformed, or which error. */
  readonly detail: string;
  /** By choice. */
  readonly texts: readonly string[];
  readonly calls: readonly { readonly name: string; readonly input: string }[];
  readonly finish: string | undefined;
  readonly usage: { readonly prompt: number; readonly completion: number } | undefined;
  /** Deployments that went on with the stream. */
  readonly recovered: number;
  /** Whether the official library raises an error; undefined where it was not asked. */
  readonly isRaised: boolean | undefined;
}

/** One usage record. */
export interface RecordedUsage {
  readonly id: number;
  readonly provider: string;
  readonly status: 'succeeded' | 'failed' | 'abandoned' | 'retried';
  readonly attempts: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly isEstimated: boolean;
  readonly basis: 'reported' | 'estimated' | 'worst_case';
  readonly costNanos: number;
}

/** The gateway's own sums, once all requests have ended. */
export interface Ledger {
  /** Of the budget, in billionths of a dollar. */
  readonly spentNanos: number;
  readonly requestsInFlight: number;
  readonly callsAtDeployments: number;
  /** Requests that the key may have in flight, and how many it had at once in the end. */
  readonly slots: number;
  readonly usableSlots: number;
  /** Tokens and cost of the metrics. */
  readonly tokens: { readonly prompt: number; readonly completion: number };
  readonly costNanos: number;
}

/** All that happened in one run. */
export interface CallHistory {
  readonly attempts: readonly ProviderAttempt[];
  readonly responses: readonly ClientResponse[];
  readonly records: readonly RecordedUsage[];
  readonly ledger: Ledger;
  readonly deployments: number;
  /** Billionths of a dollar per token. */
  readonly price: { readonly prompt: number; readonly completion: number };
}

export type Rule =
  | 'no truncated success'
  | 'no wrong text'
  | 'one ending'
  | 'the end of its attempt'
  | 'usage as billed'
  | 'right text as prefill'
  | 'bounded attempts'
  | 'one record'
  | 'record of an attempt'
  | 'attempts are recorded'
  | 'estimates are marked'
  | 'exact cost'
  | 'budget is the sum'
  | 'metrics are the sum'
  | 'nothing is left'
  | 'library raises';

export interface Violation {
  readonly rule: Rule;
  /** Of the request; undefined where it concerns all. */
  readonly id: number | undefined;
  readonly detail: string;
}
