import type { Account } from '../auth/spending.js';
import type {
  Affinity,
  PriceConfig,
  Strategy,
  StreamRecovery,
  TierPricesConfig,
  Timeouts,
} from '../config/gateway-config.js';
import type { Provider } from '../providers/provider.js';

/** One way to run a model: a model id at a provider. */
export interface Deployment {
  /** `provider/model`, which identifies the deployment. */
  readonly id: string;
  readonly provider: Provider;
  /** The provider's address, by which the catalogue finds its prices. */
  readonly baseUrl: string;
  /** The model's id at the provider. */
  readonly upstreamModel: string;
  /** Share under the `weighted` strategy. */
  readonly weight: number;
  /** Most concurrent calls of this process; undefined is no limit. */
  readonly concurrency: number | undefined;
  /** Milliseconds. */
  readonly timeouts: Timeouts;
  /** The file's price; undefined means the price catalogue. */
  readonly price: PriceConfig | undefined;
  /** The file's prices of tiers; undefined means what the provider publishes. */
  readonly tierPrices?: TierPricesConfig | undefined;
}

/** Names that resolve to the same deployments share a queue. */
export interface CallQueue {
  /** Id in the file of the model that the queue belongs to. */
  readonly id: string;
  /** Calls that may wait. */
  readonly size: number;
  /** Milliseconds. */
  readonly timeout: number;
}

/** The result of resolving a client's `model`. */
export interface ResolvedModel {
  /** The configured id, as in `x-gateway-model`; for a pattern, the id that matches it. */
  readonly id: string;
  readonly strategy: Strategy;
  /** Whether a session stays on one deployment. */
  readonly affinity: Affinity;
  /** At least one. */
  readonly deployments: readonly Deployment[];
  /** Ids of models to try, in order, when every deployment failed. */
  readonly fallbacks: readonly string[];
  /** Ids of models to try in their place when the prompt is too long; empty where the fallbacks are tried. */
  readonly contextFallbacks: readonly string[];
  /** Tokens of input and output together, if the file sets it. */
  readonly contextLength: number | undefined;
  /** What happens to a stream that breaks after its first content. */
  readonly streamRecovery: StreamRecovery;
  /** Newest tokens of a stream that are not sent yet. */
  readonly holdBack: number;
  /** Longest `Retry-After` that is waited out on the same deployment, in milliseconds. */
  readonly maxRetryWait: number;
  /**
   * The limits that all keys share: its own, and those of the file's models whose deployments it reaches under another name. Empty
   * is no limit.
   */
  readonly accounts: readonly Account[];
  /** Most tokens of a response, if the file sets it. */
  readonly maxOutputTokens: number | undefined;
  /** The queue of calls that wait for a deployment that has reached its `concurrency`. */
  readonly queue: CallQueue;
}
