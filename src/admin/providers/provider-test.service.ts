import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log.service.js';
import type { Principal } from '../../auth/principal.js';
import { Engine } from '../../engine/engine.js';
import { RoutingConfig } from '../../config/routing-config.js';
import { CHAT } from '../../operations/chat/chat-operation.js';
import { notFound } from '../../errors/gateway-error.js';
import { Routing } from '../../routing/routing.service.js';
import type { ProviderListDto, ProviderTestDto, TestProviderDto } from './providers.dto.js';
import { runProviderTest, TEST_PROMPT } from './test-outcome.js';

/** Who tests: the request's key and id, and a signal that ends the test with its request. */
export interface ProviderTestContext {
  readonly principal: Principal;
  readonly requestId: string;
  readonly signal: AbortSignal;
}

/** Lists the providers of the configuration, and tests whether one of them responds with its key. */
@Injectable()
export class ProviderTests {
  constructor(
    private readonly config: RoutingConfig,
    private readonly routing: Routing,
    private readonly engine: Engine,
    private readonly audit: AuditLog,
  ) {}

  list(): ProviderListDto {
    const deployments = this.config.current.models.flatMap((model) => model.deployments);
    return {
      object: 'list',
      data: this.config.current.providers.map(({ name, type, apiKey }) => ({
        name,
        object: 'provider' as const,
        type,
        has_key: apiKey !== undefined,
        deployments: deployments.filter(({ provider }) => provider === name).length,
      })),
      has_more: false,
      next: null,
    };
  }

  /** @throws GatewayError 404 where there is no such provider; what the test finds is its result, not an error */
  async test(name: string, { model }: TestProviderDto, context: ProviderTestContext): Promise<ProviderTestDto> {
    const instance = this.routing.current.providers.get(name);
    if (instance === undefined) throw notFound(`There is no provider '${name.slice(0, 64)}'.`, 'not_found', 'name');
    const actor = context.principal.keyId;
    const changes = model === undefined ? {} : { model };
    await this.audit.record({ actor, action: 'provider.tested', targetId: name, changes });
    const { provider } = instance;
    const { principal, requestId, signal: gone } = context;
    return runProviderTest({ provider, model, gone }, (id, signal) =>
      this.engine.run(
        CHAT,
        { ...TEST_PROMPT, model: `${provider.name}/${id}` },
        { principal, requestId, source: 'live', headers: {}, signal },
      ),
    );
  }
}
