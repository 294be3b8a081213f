import type { PriceConfig, Strategy, Timeouts } from '../config/gateway-config.js';
import type { ChatProvider } from './providers/chat-provider.js';

/** One way to run a model: a model id at a provider. */
export interface Deployment {
  /** `provider/model`: what is known of a deployment is kept under it. */
  readonly id: string;
  readonly provider: ChatProvider;
  /** The model's id at the provider. */
  readonly upstreamModel: string;
  /** Share under the `weighted` strategy. */
  readonly weight: number;
  /** Milliseconds. */
  readonly timeouts: Timeouts;
  /** The file's price; undefined leaves it to the catalogue. */
  readonly price: PriceConfig | undefined;
}

/** What a client's `model` stands for. */
export interface ResolvedModel {
  /** The configured id, as in `x-gateway-model`. */
  readonly id: string;
  readonly strategy: Strategy;
  /** At least one. */
  readonly deployments: readonly Deployment[];
  /** Ids of models to try, in order, when every deployment failed. */
  readonly fallbacks: readonly string[];
}
