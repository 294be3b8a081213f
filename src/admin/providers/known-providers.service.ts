import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log.service.js';
import { GatewayConfig } from '../../config/gateway-config.js';
import { providerWithKey } from '../../config/read-providers.js';
import { RoutingConfig } from '../../config/routing-config.js';
import { invalidRequest, notFound } from '../../errors/gateway-error.js';
import { createProvider, providerOptions } from '../../providers/create-provider.js';
import type { ProviderDefinition } from '../../providers/definitions/definition.js';
import { definitionNamed } from '../../providers/definitions/registry.js';
import type { Provider, ProviderCall } from '../../providers/provider.js';
import type { KnownProviderListDto, TestProviderKeyDto } from './known-providers.dto.js';
import type { ProviderTestContext } from './provider-test.service.js';
import type { ProviderTestDto } from './providers.dto.js';
import { runProviderTest, TEST_PROMPT } from './test-outcome.js';

/** Lists the providers that need nothing but a key, and tests such a key before it is part of the configuration. */
@Injectable()
export class KnownProviders {
  constructor(
    private readonly gateway: GatewayConfig,
    private readonly routing: RoutingConfig,
    private readonly audit: AuditLog,
  ) {}

  list(): KnownProviderListDto {
    const setUp = new Set(this.routing.current.providers.map(({ name }) => name));
    return {
      object: 'list',
      data: this.gateway.knownProviders.flatMap(({ name }) => {
        const definition = definitionNamed(name);
        if (definition?.keyVariable === undefined) return [];
        const { title, keyVariable, documentation } = definition;
        return {
          name,
          object: 'known_provider' as const,
          title,
          key_variable: keyVariable,
          documentation,
          is_set_up: setUp.has(name),
          test_needs_model: needsModel(definition),
        };
      }),
      has_more: false,
      next: null,
    };
  }

  /**
   * Sends the key to the provider's address, which a variable may move, and to no other.
   *
   * @throws GatewayError 404 where there is no such provider, 400 where the test needs a model
   */
  async test(
    name: string,
    { api_key: apiKey, model }: TestProviderKeyDto,
    { principal, requestId, signal: gone }: ProviderTestContext,
  ): Promise<ProviderTestDto> {
    const known = this.gateway.knownProviders.find((each) => each.name === name);
    const definition = definitionNamed(name);
    if (known === undefined || definition === undefined) {
      throw notFound(`No provider '${name.slice(0, 64)}' needs nothing but a key.`, 'not_found', 'name');
    }
    if (model === undefined && needsModel(definition)) {
      throw invalidRequest(
        `'model' is required, because ${definition.title} shows no list of models by which a key could be tested.`,
        'model',
      );
    }
    const changes = model === undefined ? {} : { model };
    await this.audit.record({ actor: principal.keyId, action: 'provider.key_tested', targetId: name, changes });
    const { upstream } = this.routing.current;
    const provider = createProvider(providerWithKey(known, apiKey), providerOptions(upstream));
    try {
      return await runProviderTest({ provider, model, gone }, (id, signal) =>
        callModel(provider, id, { timeouts: upstream.timeouts, requestId, signal }),
      );
    } finally {
      await provider.close();
    }
  }
}

async function callModel(
  provider: Provider,
  model: string,
  options: Pick<ProviderCall, 'timeouts' | 'requestId' | 'signal'>,
): Promise<void> {
  const chat = provider.operation('chat');
  if (chat === undefined) throw invalidRequest(`${provider.name} has no chat. Leave 'model' out.`, 'model');
  await chat.invoke({ ...options, request: { ...TEST_PROMPT, model }, upstreamModel: model, headers: {} });
}

function needsModel({ hasPublicModelList, compatible }: ProviderDefinition): boolean {
  return hasPublicModelList === true || compatible?.hasModelList === false;
}
