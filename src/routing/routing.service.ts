import { Injectable, Logger, OnApplicationShutdown } from '@nestjs/common';
import type { ProviderConfig, RoutingSettings } from '../config/gateway-config.js';
import { RoutingConfig } from '../config/routing-config.js';
import { describeError } from '../errors/describe-error.js';
import { Deployments } from './deployments/deployments.service.js';
import type { Provider, ProviderOptions } from '../providers/provider.js';
import { createProvider, providerOptions } from '../providers/create-provider.js';
import type { ResolvedModel } from './resolved-model.js';
import { ProviderInstance, RoutingTable } from './routing-table.js';
import { unknownModel } from './unknown-model.js';

/** The routing table of the current configuration, and the providers of all tables that calls still use. */
@Injectable()
export class Routing implements OnApplicationShutdown {
  private readonly logger = new Logger('Routing');
  private table: RoutingTable;
  /** The number of tables that use each provider. */
  private readonly uses = new Map<Provider, number>();

  constructor(
    config: RoutingConfig,
    private readonly deployments: Deployments,
  ) {
    this.table = this.build(config.current, new Map());
    config.onChange((current, previous) => this.reload(current, previous));
  }

  get current(): RoutingTable {
    return this.table;
  }

  /**
   * Resolves a model by the routing table.
   *
   * @throws GatewayError 404 `model_not_found`
   */
  resolve(modelId: string, table: RoutingTable = this.table): ResolvedModel {
    const model = table.resolve(modelId);
    if (model === undefined) throw unknownModel(modelId, table.ids);
    return model;
  }

  /** Tokens of the longest response of a model, if the configuration sets it. */
  maxOutputTokensOf(modelId: string): number | undefined {
    return this.table.resolve(modelId)?.maxOutputTokens;
  }

  /** Applies new settings. Providers that are unchanged keep their connections. */
  private reload(settings: RoutingSettings, previous: RoutingSettings): void {
    const before = this.table;
    const isReusable = isSame(providerOptions(settings.upstream), providerOptions(previous.upstream));
    this.table = this.build(settings, isReusable ? before.providers : new Map());
    for (const [name, { config }] of before.providers) {
      // The health of a provider does not apply to a different one of the same name.
      const next = this.table.providers.get(name);
      if (next === undefined || !isSame(next.config, config)) this.deployments.forgetProvider(name);
    }
    before.retire(() => {
      for (const instance of before.providers.values()) clientsOf(instance).forEach((client) => this.release(client));
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.uses.keys()].map((provider) => provider.close()));
  }

  /** @param before providers of the previous table, which are reused where they are unchanged */
  private build(settings: RoutingSettings, before: RoutingTable['providers']): RoutingTable {
    const providers = new Map<string, ProviderInstance>();
    const options = providerOptions(settings.upstream);
    for (const config of settings.providers) {
      const known = before.get(config.name);
      const instance = known !== undefined && isSame(known.config, config) ? known : createInstance(config, options);
      for (const client of clientsOf(instance)) this.uses.set(client, (this.uses.get(client) ?? 0) + 1);
      providers.set(config.name, instance);
    }
    return new RoutingTable(settings, providers);
  }

  private release(provider: Provider): void {
    const uses = (this.uses.get(provider) ?? 1) - 1;
    if (uses > 0) {
      this.uses.set(provider, uses);
      return;
    }
    this.uses.delete(provider);
    provider.close().catch((error: unknown) => {
      this.logger.warn({ msg: 'a replaced provider was not closed well', error: describeError(error) });
    });
  }
}

function createInstance(config: ProviderConfig, options: ProviderOptions): ProviderInstance {
  const provider = createProvider(config, options);
  const { furtherKeys } = config;
  if (furtherKeys === undefined) return { config, provider };
  return {
    config,
    provider,
    withFurtherKeys: furtherKeys.map((apiKey) => createProvider({ ...config, apiKey }, options)),
  };
}

function clientsOf({ provider, withFurtherKeys = [] }: ProviderInstance): Provider[] {
  return [provider, ...withFurtherKeys];
}

function isSame(first: object, second: object): boolean {
  return JSON.stringify(first) === JSON.stringify(second);
}
