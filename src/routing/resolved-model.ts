import type { Account } from '../auth/spending.js';
import type { PriceConfig, Strategy, Timeouts } from '../config/gateway-config.js';
import type { Provider } from '../providers/provider.js';

/** One way to run a model: a model id at a provider. */
export interface Deployment {
  /** `provider/model`: what is known of a deployment is kept under it. */
  readonly id: string;
  readonly provider: Provider;
  /** Where the provider is, by which the catalogue knows its prices. */
  readonly baseUrl: string;
  /** The model's id at the provider. */
  readonly upstreamModel: string;
  /** Share under the `weighted` strategy. */
  readonly weight: number;
  /** Calls that this process makes of it at once; undefined is no limit. */
  readonly concurrency: number | undefined;
  /** Milliseconds. */
  readonly timeouts: Timeouts;
  /** The file's price; undefined leaves it to the catalogue. */
  readonly price: PriceConfig | undefined;
}

/** Names that lead to the same deployments share a queue. */
export interface CallQueue {
  /** Id in the file of the model that the queue belongs to. */
  readonly id: string;
  /** Calls that may wait. */
  readonly size: number;
  /** Milliseconds. */
  readonly timeout: number;
}

/** What a client's `model` stands for. */
export interface ResolvedModel {
  /** The configured id, as in `x-gateway-model`; of a pattern, the id that fits it. */
  readonly id: string;
  readonly strategy: Strategy;
  /** At least one. */
  readonly deployments: readonly Deployment[];
  /** Ids of models to try, in order, when every deployment failed. */
  readonly fallbacks: readonly string[];
  /**
   * The limits that hold for all keys together: its own, and those of the file's models whose deployments it reaches under
   * another name. Empty is no limit.
   */
  readonly accounts: readonly Account[];
  /** Tokens of an answer, as far as the file says it. */
  readonly maxOutputTokens: number | undefined;
  /** Where calls wait for a deployment that has as many as its `concurrency`. */
  readonly queue: CallQueue;
}
