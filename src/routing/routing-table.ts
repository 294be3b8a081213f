import type { ModelConfig, ProviderConfig, RoutingSettings } from '../config/gateway-config.js';
import type { Provider } from '../providers/provider.js';
import type { Deployment, ResolvedModel } from './resolved-model.js';
import { accountsOf, dearestPrice, deploymentId, DeploymentOwners, smallestConcurrency } from './deployment-owners.js';

/** A provider of the configuration and what calls it. */
export interface ProviderInstance {
  readonly config: ProviderConfig;
  readonly provider: Provider;
}

const NO_FALLBACKS: readonly string[] = [];
/** Models outside the file that are remembered; clients may name any number. */
const MAX_CACHED_MODELS = 1_000;

/**
 * Providers and models as one configuration has them. A call holds on to the table that it began with, so that a reload
 * takes nothing away from it; a table that was replaced ends with its last call.
 */
export class RoutingTable {
  /** By id and by alias. */
  private readonly byId = new Map<string, ResolvedModel>();
  /** Of the file's patterns, the longest first. */
  private readonly patterns: { readonly prefix: string; readonly model: ModelConfig }[] = [];
  private readonly owners: DeploymentOwners;
  /** `provider/model` by its id. */
  private readonly remembered = new Map<string, ResolvedModel>();
  private calls = 0;
  private whenUnused: (() => void) | undefined;

  constructor(
    private readonly config: Pick<RoutingSettings, 'models' | 'expose' | 'upstream'>,
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

  /** The models of the file that are no patterns. */
  *listed(): Generator<ResolvedModel> {
    for (const [id, model] of this.byId) if (model.id === id) yield model;
  }

  /** Every id and alias of the file. */
  get ids(): Iterable<string> {
    return this.byId.keys();
  }

  /**
   * A model of the file by its id, by an alias or by a pattern; else `provider/model`, unless only listed models are
   * exposed. Undefined when it is none of these.
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

  /** The id or the pattern of the file by which `modelId` is found; undefined for `provider/model` and for what is none. */
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

  /** Calls back once no call holds on to it any more; at once when none does. */
  retire(whenUnused: () => void): void {
    if (this.calls === 0) whenUnused();
    else this.whenUnused = whenUnused;
  }

  /** Several steps of one call ask for the same model. */
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
    // What the file says of the deployment under another name holds under this one as well.
    const byName = this.owners.byName(providerName, upstreamModel);
    const owners = [...byName, ...this.owners.byPattern(providerName, upstreamModel)];
    const [first] = owners;
    const deployment: Deployment = {
      id: deploymentId(providerName, upstreamModel, byName),
      provider: found.provider,
      baseUrl: found.config.baseUrl,
      upstreamModel,
      weight: 1,
      concurrency: smallestConcurrency(owners),
      timeouts,
      price: dearestPrice(owners),
    };
    const mostOutput = Math.max(0, ...owners.map(({ model }) => model.maxOutputTokens ?? 0));
    return {
      id: modelId,
      strategy: 'priority',
      deployments: [deployment],
      fallbacks: NO_FALLBACKS,
      accounts: accountsOf(owners.map(({ model }) => model)),
      maxOutputTokens: mostOutput === 0 ? undefined : mostOutput,
      queue: first === undefined ? { id: modelId, size: 0, timeout: 0 } : { id: first.model.id, ...first.model.queue },
    };
  }

  /** @param part what the `*` of a pattern stands for */
  private toResolved(model: ModelConfig, id: string, part: string): ResolvedModel {
    const isPattern = model.id.endsWith('*');
    const owned: ModelConfig[] = [model];
    const deployments = model.deployments.flatMap(({ provider, model: template, weight, concurrency }) => {
      const found = this.providers.get(provider);
      if (found === undefined) return [];
      // A function, because the client's text may hold what replace() reads as a pattern of its own.
      const upstreamModel = template.replace('*', () => part);
      const owners = this.owners.byName(provider, upstreamModel);
      // What the file says of one model by name holds for the patterns that lead to it too.
      if (isPattern) owned.push(...owners.map((owner) => owner.model));
      const { provider: instance, config } = found;
      const smallest = smallestConcurrency(owners);
      return [
        {
          id: deploymentId(provider, upstreamModel, owners),
          provider: instance,
          baseUrl: config.baseUrl,
          upstreamModel,
          weight,
          concurrency:
            isPattern && smallest !== undefined
              ? Math.min(smallest, concurrency ?? Infinity)
              : (concurrency ?? smallest),
          timeouts: model.timeouts,
          price: model.price ?? (isPattern ? dearestPrice(owners) : undefined),
        },
      ];
    });
    const { strategy, fallbacks, maxOutputTokens, queue } = model;
    return {
      id,
      strategy,
      fallbacks,
      accounts: accountsOf(owned),
      maxOutputTokens,
      queue: { id: model.id, ...queue },
      deployments,
    };
  }
}
