import type { ModelConfig, ProviderConfig, RoutingSettings } from '../config/gateway-config.js';
import type { Provider } from '../providers/provider.js';
import type { Deployment, ResolvedModel } from './resolved-model.js';
import {
  accountsOf,
  highestPrice,
  deploymentId,
  DeploymentOwners,
  smallestConcurrency,
  tierPricesOf,
} from './deployment-owners.js';

/** A provider of the configuration and the client that calls it. */
export interface ProviderInstance {
  readonly config: ProviderConfig;
  readonly provider: Provider;
  /** The clients that call it with its further keys. Absent where it has one key. */
  readonly withFurtherKeys?: readonly Provider[];
}

const NO_FALLBACKS: readonly string[] = [];
/** The end of the id of a deployment with a further key: `openai/gpt-5-mini#2`. */
const KEY_SUFFIX = /#\d+$/;
/** Number of models outside the file that are cached; clients may name any number. */
const MAX_CACHED_MODELS = 1_000;

/**
 * The providers and models of one configuration. A call keeps the table that it began with, so a reload does not affect it; a
 * replaced table is disposed of with its last call.
 */
export class RoutingTable {
  /** Models by id and by alias. */
  private readonly byId = new Map<string, ResolvedModel>();
  /** The file's patterns, the longest first. */
  private readonly patterns: { readonly prefix: string; readonly model: ModelConfig }[] = [];
  private readonly owners: DeploymentOwners;
  /** `provider/model` by its id. */
  private readonly remembered = new Map<string, ResolvedModel>();
  private calls = 0;
  private whenUnused: (() => void) | undefined;

  constructor(
    private readonly config: Pick<RoutingSettings, 'models' | 'expose' | 'upstream' | 'retry'>,
    readonly providers: ReadonlyMap<string, ProviderInstance>,
  ) {
    this.owners = new DeploymentOwners(config.models);
    for (const model of config.models) {
      if (model.id.endsWith('*')) this.patterns.push({ prefix: model.id.slice(0, -1), model });
      else {
        const resolved = this.toResolved(model, model.id, '');
        for (const id of [model.id, ...model.aliases]) this.byId.set(id, resolved);
      }
    }
    this.patterns.sort((first, second) => second.prefix.length - first.prefix.length);
  }

  /** The models of the file other than patterns. */
  *listed(): Generator<ResolvedModel> {
    for (const [id, model] of this.byId) if (model.id === id) yield model;
  }

  /** A deployment by its id: of a model of the file, or of a model that clients name themselves. */
  deploymentAt(id: string): Deployment | undefined {
    for (const { deployments } of this.byId.values()) {
      const found = deployments.find((deployment) => deployment.id === id);
      if (found !== undefined) return found;
    }
    for (const name of [id.replace(KEY_SUFFIX, ''), id]) {
      const model = this.rememberedAtProvider(name);
      const found = model?.deployments.find((deployment) => deployment.id === id);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Every id and alias of the file. */
  get ids(): Iterable<string> {
    return this.byId.keys();
  }

  /**
   * A model of the file by its id, by an alias or by a pattern; otherwise `provider/model`, unless only listed models are exposed.
   * Undefined when it is none of these.
   */
  resolve(modelId: string): ResolvedModel | undefined {
    const configured = this.byId.get(modelId);
    if (configured !== undefined) return configured;
    for (const { prefix, model } of this.patterns) {
      if (modelId.length > prefix.length && modelId.startsWith(prefix)) {
        return this.toResolved(model, modelId, modelId.slice(prefix.length));
      }
    }
    return this.config.expose === 'listed' ? undefined : this.rememberedAtProvider(modelId);
  }

  /** The id or the pattern of the file that matches `modelId`; undefined for `provider/model` and for unknown models. */
  nameOf(modelId: string): string | undefined {
    const configured = this.byId.get(modelId);
    if (configured !== undefined) return configured.id;
    for (const { prefix, model } of this.patterns) {
      if (modelId.length > prefix.length && modelId.startsWith(prefix)) return model.id;
    }
    return undefined;
  }

  hold(): void {
    this.calls += 1;
  }

  release(): void {
    this.calls -= 1;
    if (this.calls === 0) this.whenUnused?.();
  }

  /** Calls back once no call uses it any more; at once when none does. */
  retire(whenUnused: () => void): void {
    if (this.calls === 0) whenUnused();
    else this.whenUnused = whenUnused;
  }

  /** Cached, because several steps of one call resolve the same model. */
  private rememberedAtProvider(modelId: string): ResolvedModel | undefined {
    const known = this.remembered.get(modelId);
    if (known !== undefined) return known;
    const resolved = this.resolveAtProvider(modelId);
    if (resolved === undefined) return undefined;
    if (this.remembered.size >= MAX_CACHED_MODELS) this.remembered.clear();
    this.remembered.set(modelId, resolved);
    return resolved;
  }

  private resolveAtProvider(modelId: string): ResolvedModel | undefined {
    const slash = modelId.indexOf('/');
    const providerName = modelId.slice(0, Math.max(0, slash));
    const found = this.providers.get(providerName);
    const upstreamModel = modelId.slice(slash + 1);
    if (found === undefined || upstreamModel === '') return undefined;
    const { timeouts } = this.config.upstream;
    // Settings of the file for the deployment under another name apply under this one as well.
    const byName = this.owners.byName(providerName, upstreamModel);
    const owners = [...byName, ...this.owners.byPattern(providerName, upstreamModel)];
    const [first] = owners;
    const deployments = byKey(found, {
      id: deploymentId(providerName, upstreamModel, byName),
      provider: found.provider,
      baseUrl: found.config.baseUrl,
      upstreamModel,
      weight: 1,
      concurrency: smallestConcurrency(owners),
      timeouts,
      price: highestPrice(owners),
      tierPrices: tierPricesOf(owners),
    });
    const hasKeys = deployments.length > 1;
    const mostOutput = Math.max(0, ...owners.map(({ model }) => model.maxOutputTokens ?? 0));
    return {
      id: modelId,
      strategy: hasKeys ? 'weighted' : 'priority',
      affinity: hasKeys ? 'session' : 'none',
      deployments,
      fallbacks: NO_FALLBACKS,
      contextFallbacks: NO_FALLBACKS,
      contextLength: first?.model.contextLength,
      streamRecovery: first?.model.streamRecovery ?? 'continue',
      holdBack: first?.model.holdBack ?? 0,
      maxRetryWait: this.config.retry.maxWait,
      accounts: accountsOf(owners.map(({ model }) => model)),
      maxOutputTokens: mostOutput === 0 ? undefined : mostOutput,
      queue: first === undefined ? { id: modelId, size: 0, timeout: 0 } : { id: first.model.id, ...first.model.queue },
    };
  }

  /** @param part the text that matches the `*` of a pattern */
  private toResolved(model: ModelConfig, id: string, part: string): ResolvedModel {
    const isPattern = model.id.endsWith('*');
    const owned: ModelConfig[] = [model];
    const deployments = model.deployments.flatMap(({ provider, model: template, weight, concurrency, tierPrices }) => {
      const found = this.providers.get(provider);
      if (found === undefined) return [];
      // A function, because the client's text may contain replacement patterns of replace().
      const upstreamModel = template.replace('*', () => part);
      const owners = this.owners.byName(provider, upstreamModel);
      // Settings of the file for one model by name also apply to patterns that resolve to it.
      if (isPattern) owned.push(...owners.map((owner) => owner.model));
      const { provider: instance, config } = found;
      const smallest = smallestConcurrency(owners);
      return byKey(found, {
        id: deploymentId(provider, upstreamModel, owners),
        provider: instance,
        baseUrl: config.baseUrl,
        upstreamModel,
        weight,
        concurrency:
          isPattern && smallest !== undefined ? Math.min(smallest, concurrency ?? Infinity) : (concurrency ?? smallest),
        timeouts: model.timeouts,
        price: model.price ?? (isPattern ? highestPrice(owners) : undefined),
        tierPrices: tierPrices ?? model.tierPrices ?? (isPattern ? tierPricesOf(owners) : undefined),
      });
    });
    const { strategy, affinity, fallbacks, maxOutputTokens, queue } = model;
    const { contextFallbacks, contextLength, streamRecovery, holdBack } = model;
    return {
      id,
      strategy,
      affinity,
      fallbacks,
      contextFallbacks,
      contextLength,
      streamRecovery,
      holdBack,
      maxRetryWait: this.config.retry.maxWait,
      accounts: accountsOf(owned),
      maxOutputTokens,
      queue: { id: model.id, ...queue },
      deployments,
    };
  }
}

/** A deployment for each key of its provider, which share its weight. */
function byKey({ withFurtherKeys = [] }: ProviderInstance, deployment: Deployment): Deployment[] {
  if (withFurtherKeys.length === 0) return [deployment];
  const weight = deployment.weight / (withFurtherKeys.length + 1);
  const further = withFurtherKeys.map((provider, index) => ({
    ...deployment,
    id: `${deployment.id}#${index + 2}`,
    provider,
    weight,
  }));
  return [{ ...deployment, weight }, ...further];
}
