import { Injectable, Logger } from '@nestjs/common';
import type { ModelConfig, ProviderConfig } from '../config/gateway-config.js';
import { RoutingConfig } from '../config/routing-config.js';
import { describeError } from '../errors/describe-error.js';
import { formatDollars } from '../pricing/cost.js';
import { PriceCatalog } from '../pricing/price-catalog.js';
import type { Provider } from '../providers/provider.js';
import type { ModelDto } from './models.dto.js';
import type { ListedModel } from '../wire/openai-chat/map-model-list.js';
import type { ResolvedModel } from '../routing/resolved-model.js';
import { Routing } from '../routing/routing.service.js';
import { SANDBOX_TYPE } from '../providers/definitions/sandbox.js';

/** How long a provider's own list is cached, in milliseconds. */
const LIST_TTL_MS = 300_000;
/** The same for a local server that was discovered, since it may start and stop at any time. */
const DISCOVERED_LIST_TTL_MS = 10_000;
/** How long GET /v1/models waits for a provider that it has no list of yet, in milliseconds. */
const LIST_TIMEOUT_MS = 3_000;

interface ProviderList {
  models: readonly ListedModel[];
  /** Milliseconds of the monotonic clock; undefined before the first fetch. */
  fetchedAt: number | undefined;
  refreshing: Promise<void> | undefined;
}

/**
 * Every model that can be called: those of the file, then those that the providers list themselves. A provider's list is fetched
 * at first use and then refreshed in the background; a provider that does not respond lists nothing, and delays only the first
 * request.
 */
@Injectable()
export class ModelCatalog {
  private readonly logger = new Logger('Models');
  /** By provider, not by name: a reload may put another provider under the name. */
  private readonly lists = new WeakMap<Provider, ProviderList>();
  /** The value of `created` for a model whose release date is unknown: the start of this process. */
  private readonly startedAt = Math.floor(Date.now() / 1_000);

  constructor(
    private readonly config: RoutingConfig,
    private readonly routing: Routing,
    private readonly known: PriceCatalog,
  ) {}

  async all(): Promise<ModelDto[]> {
    const { models, providers, expose } = this.config.current;
    const lists = await Promise.all([
      ...models.map((model) => (model.id.endsWith('*') ? this.describePattern(model) : this.describeConfigured(model))),
      ...(expose === 'listed' ? [] : providers.map((provider) => this.describeProvider(provider))),
    ]);
    const ids = new Set<string>();
    return lists.flat().filter(({ id }) => !ids.has(id) && ids.add(id));
  }

  /** A model that no list has, by what it leads to; undefined when its provider surely has no such model. */
  async describeResolved(id: string, { deployments: [first] }: ResolvedModel): Promise<ModelDto | undefined> {
    const provider = this.config.current.providers.find(({ name }) => name === first?.provider.name);
    if (provider === undefined || first === undefined) return undefined;
    const { upstreamModel } = first;
    if (provider.type !== SANDBOX_TYPE) return this.describe(id, provider, { id: upstreamModel });
    // The sandbox lists all that it has; other providers may serve more than they list.
    const listed = (await this.listOf(provider)).find((model) => model.id === upstreamModel);
    return listed && this.describe(id, provider, listed);
  }

  /** The models that the provider of a pattern's first deployment lists, under the ids by which clients reach them. */
  private async describePattern({ id, deployments: [first] }: ModelConfig): Promise<ModelDto[]> {
    const provider = this.config.current.providers.find(({ name }) => name === first?.provider);
    const [before, after, ...none] = first?.model.split('*') ?? [];
    if (provider === undefined || before === undefined || after === undefined || none.length > 0) return [];
    const listed = (await this.listOf(provider)).filter(
      (model) =>
        model.id.length > before.length + after.length && model.id.startsWith(before) && model.id.endsWith(after),
    );
    const prefix = id.slice(0, -1);
    return Promise.all(
      listed.map((model) => {
        const part = model.id.slice(before.length, model.id.length - after.length);
        return this.describe(`${prefix}${part}`, provider, model);
      }),
    );
  }

  private async describeConfigured(model: ModelConfig): Promise<ModelDto[]> {
    const [first] = model.deployments;
    const provider = this.config.current.providers.find(({ name }) => name === first?.provider);
    const described = await this.describe(model.id, provider, { id: first?.model ?? model.id });
    const { price, contextLength, maxOutputTokens, displayName } = model;
    const own: ModelDto = {
      ...described,
      ...(displayName !== undefined && { name: displayName, display_name: displayName }),
      ...(contextLength !== undefined && { context_length: contextLength, max_input_tokens: contextLength }),
      ...(maxOutputTokens !== undefined && { max_output_tokens: maxOutputTokens }),
      ...(price?.inputPerMillion !== undefined &&
        price.outputPerMillion !== undefined && {
          pricing: {
            prompt: formatDollars(price.inputPerMillion / 1_000_000),
            completion: formatDollars(price.outputPerMillion / 1_000_000),
          },
        }),
    };
    return [
      own,
      ...model.aliases.map((alias) => ({ ...own, id: alias, ...(own.name === undefined && { display_name: alias }) })),
    ];
  }

  private async describeProvider(provider: ProviderConfig): Promise<ModelDto[]> {
    if (!provider.listModels) return [];
    const models = await this.listOf(provider);
    return Promise.all(models.map((model) => this.describe(`${provider.name}/${model.id}`, provider, model)));
  }

  private async describe(id: string, provider: ProviderConfig | undefined, model: ListedModel): Promise<ModelDto> {
    const baseUrl = provider?.baseUrl ?? '';
    const [facts, price] = await Promise.all([
      this.known.factsOf(baseUrl, model.id),
      this.known.priceOf(baseUrl, model.id),
    ]);
    const created = model.created ?? facts.created ?? this.startedAt;
    return {
      id,
      object: 'model',
      type: 'model',
      created,
      created_at: dateTime(created),
      owned_by: model.owned_by ?? provider?.name ?? 'gateway',
      display_name: facts.name ?? id,
      ...(facts.name !== undefined && { name: facts.name }),
      ...(facts.contextLength !== undefined && {
        context_length: facts.contextLength,
        max_input_tokens: facts.contextLength,
      }),
      ...(facts.maxOutputTokens !== undefined && { max_output_tokens: facts.maxOutputTokens }),
      ...(facts.inputModalities !== undefined && {
        architecture: {
          input_modalities: [...facts.inputModalities],
          output_modalities: [...(facts.outputModalities ?? ['text'])],
        },
      }),
      ...(price !== null && {
        pricing: { prompt: formatDollars(price.prompt), completion: formatDollars(price.completion) },
      }),
      ...(facts.capabilities !== undefined && { capabilities: [...facts.capabilities] }),
    };
  }

  private async listOf({ name, isDiscovered = false }: ProviderConfig): Promise<readonly ListedModel[]> {
    const provider = this.routing.current.providers.get(name)?.provider;
    if (provider === undefined) return [];
    let list = this.lists.get(provider);
    if (list === undefined) {
      list = { models: [], fetchedAt: undefined, refreshing: undefined };
      this.lists.set(provider, list);
    }
    const fresh = isDiscovered ? DISCOVERED_LIST_TTL_MS : LIST_TTL_MS;
    if (list.fetchedAt !== undefined && performance.now() - list.fetchedAt < fresh) return list.models;
    list.refreshing ??= this.refresh(provider, list, isDiscovered);
    if (list.fetchedAt === undefined) await list.refreshing;
    return list.models;
  }

  private async refresh(provider: Provider, list: ProviderList, isDiscovered: boolean): Promise<void> {
    try {
      list.models = await provider.listModels(AbortSignal.timeout(LIST_TIMEOUT_MS));
    } catch (error) {
      list.models = isDiscovered ? [] : list.models;
      // A discovered server need not be running, so its absence is not a warning.
      this.logger[isDiscovered ? 'debug' : 'warn']({
        msg: 'a provider’s model list could not be read',
        provider: provider.name,
        error: describeError(error),
      });
    } finally {
      // A failure is cached as well: a provider that is down must not delay every list.
      list.fetchedAt = performance.now();
      list.refreshing = undefined;
    }
  }
}

/** RFC 3339 without fractions. @param seconds Unix seconds */
function dateTime(seconds: number): string {
  const date = new Date(seconds * 1_000);
  return Number.isNaN(date.getTime()) ? '1970-01-01T00:00:00Z' : date.toISOString().replace('.000', '');
}
