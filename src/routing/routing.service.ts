import { Injectable, Logger, OnApplicationShutdown } from '@nestjs/common';
import { GatewayConfig, type ProviderConfig } from '../config/gateway-config.js';
import { describeError } from '../errors/describe-error.js';
import { Deployments } from './deployments/deployments.service.js';
import type { ChatProvider } from '../providers/chat-provider.js';
import { createProvider } from '../providers/create-provider.js';
import type { ResolvedModel } from './resolved-model.js';
import { ProviderInstance, RoutingTable } from './routing-table.js';
import { unknownModel } from './unknown-model.js';

/** The routing table of the configuration in force, and the providers of all tables that calls still hold on to. */
@Injectable()
export class Routing implements OnApplicationShutdown {
  private readonly logger = new Logger('Routing');
  private table: RoutingTable;
  /** In how many tables each provider is. */
  private readonly uses = new Map<ChatProvider, number>();

  constructor(
    private readonly config: GatewayConfig,
    private readonly deployments: Deployments,
  ) {
    this.table = this.build(new Map());
  }

  get current(): RoutingTable {
    return this.table;
  }

  /**
   * What the routing table says of a model.
   *
   * @throws GatewayError 404 `model_not_found`
   */
  resolve(modelId: string, table: RoutingTable = this.table): ResolvedModel {
    const model = table.resolve(modelId);
    if (model === undefined) throw unknownModel(modelId, table.ids);
    return model;
  }

  /** Tokens of the longest response of a model, where the configuration says it. */
  maxOutputTokensOf(modelId: string): number | undefined {
    return this.table.resolve(modelId)?.maxOutputTokens;
  }

  /** Takes over what the configuration says now. Providers that are the same in both keep their connections. */
  reload(): void {
    const before = this.table;
    this.table = this.build(before.providers);
    for (const [name, { provider }] of before.providers) {
      // What was known of a provider says nothing of another one under its name.
      if (this.table.providers.get(name)?.provider !== provider) this.deployments.forgetProvider(name);
    }
    before.retire(() => {
      for (const { provider } of before.providers.values()) this.release(provider);
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.uses.keys()].map((provider) => provider.close()));
  }

  private build(before: RoutingTable['providers']): RoutingTable {
    const providers = new Map<string, ProviderInstance>();
    for (const config of this.config.providers) {
      const known = before.get(config.name);
      const instance =
        known !== undefined && isSame(known.config, config)
          ? known
          : { config, provider: createProvider(config, this.config) };
      this.uses.set(instance.provider, (this.uses.get(instance.provider) ?? 0) + 1);
      providers.set(config.name, instance);
    }
    const { models, expose, upstream } = this.config;
    return new RoutingTable({ models, expose, upstream }, providers);
  }

  private release(provider: ChatProvider): void {
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

function isSame(first: ProviderConfig, second: ProviderConfig): boolean {
  return JSON.stringify(first) === JSON.stringify(second);
}
