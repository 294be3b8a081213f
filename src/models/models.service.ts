import { Injectable } from '@nestjs/common';
import { mayCallModel } from '../auth/may-call-model.js';
import type { Principal } from '../auth/principal.js';
import type { Usage } from '../chat/chat-completion.js';
import { GatewayConfig, type ModelConfig, type ProviderConfig } from '../config/gateway-config.js';
import { nearestName } from '../config/nearest-name.js';
import { notFound, type GatewayError } from '../errors/gateway-error.js';
import { costAtPrice } from './cost.js';
import type { DeploymentListDto } from './deployments/deployments.dto.js';
import { Deployments } from './deployments/deployments.service.js';
import { KnownModels } from './known-models.js';
import { ModelList } from './model-list.js';
import type { ModelDto, ModelListDto } from './models.dto.js';
import { ProviderRegistry } from './provider-registry.js';
import type { Deployment, ResolvedModel } from './resolved-model.js';

const NO_FALLBACKS: readonly string[] = [];

/** What a client's `model` stands for, what it costs, and which models a key may see. */
@Injectable()
export class ModelsService {
  private readonly configured: ReadonlyMap<string, ResolvedModel>;
  private readonly providers: ReadonlyMap<string, ProviderConfig>;

  constructor(
    private readonly config: GatewayConfig,
    private readonly registry: ProviderRegistry,
    private readonly known: KnownModels,
    private readonly modelList: ModelList,
    private readonly deployments: Deployments,
  ) {
    this.providers = new Map(config.providers.map((provider) => [provider.name, provider]));
    this.configured = new Map(config.models.map((model) => [model.id, this.resolveConfigured(model)]));
  }

  /**
   * A model of the file, or `provider/model` unless only listed models are exposed.
   *
   * @throws GatewayError 404 `model_not_found`
   */
  resolve(modelId: string): ResolvedModel {
    const configured = this.configured.get(modelId);
    if (configured !== undefined) return configured;
    const slash = modelId.indexOf('/');
    const provider = slash === -1 || this.config.expose === 'listed' ? undefined : modelId.slice(0, slash);
    const instance = provider === undefined ? undefined : this.registry.get(provider);
    const upstreamModel = modelId.slice(slash + 1);
    if (instance === undefined || upstreamModel === '') throw this.unknown(modelId);
    return {
      id: modelId,
      strategy: 'priority',
      deployments: [
        {
          id: modelId,
          provider: instance,
          upstreamModel,
          weight: 1,
          timeouts: this.config.upstream.timeouts,
          price: undefined,
        },
      ],
      fallbacks: NO_FALLBACKS,
    };
  }

  /** US dollars of one completion; null when the price is unknown, never a made-up 0. */
  async costOf(usage: Usage, { provider, upstreamModel, price }: Deployment): Promise<number | null> {
    if (price !== undefined) return costAtPrice(usage, price);
    return this.known.costOf(usage, this.providers.get(provider.name)?.baseUrl ?? '', upstreamModel);
  }

  async list(principal: Principal): Promise<ModelListDto> {
    const models = (await this.modelList.all()).filter(({ id }) => mayCallModel(principal, id));
    return { object: 'list', data: models, models };
  }

  /** One model. One that the key may not call answers exactly as one that there is not. */
  async find(modelId: string, principal: Principal): Promise<ModelDto> {
    const model = (await this.modelList.all()).find(({ id }) => id === modelId);
    if (model === undefined || !mayCallModel(principal, modelId)) throw this.unknown(modelId, false);
    return model;
  }

  /** Every deployment that is configured or was called, as this process knows it. */
  listDeployments(): DeploymentListDto {
    const models = new Map<string, string[]>();
    for (const model of this.configured.values()) {
      for (const deployment of model.deployments) {
        models.set(deployment.id, [...(models.get(deployment.id) ?? []), model.id]);
        this.deployments.healthOf(deployment);
      }
    }
    const data = [...this.deployments.all()].map(([id, health]) => {
      const { succeeded, failed } = health.recent();
      return {
        id,
        models: models.get(id) ?? [],
        breaker: health.breaker,
        retry_in_ms: Math.ceil(Math.max(health.wait, health.opensIn)),
        in_flight: health.inFlight,
        first_byte_ms: health.firstByte === undefined ? null : Math.round(health.firstByte * 10) / 10,
        recent_succeeded: succeeded,
        recent_failed: failed,
        last_error: health.lastError ?? null,
      };
    });
    return { object: 'list', data: data.sort((first, second) => (first.id < second.id ? -1 : 1)) };
  }

  private unknown(modelId: string, withHint = true): GatewayError {
    const near = withHint ? nearestName(modelId, this.configured.keys()) : undefined;
    const hint = near === undefined ? 'See GET /v1/models for those that exist.' : `Did you mean \`${near}\`?`;
    return notFound(
      `The model \`${modelId.slice(0, 256)}\` does not exist or you do not have access to it. ${hint}`,
      'model_not_found',
      'model',
    );
  }

  private resolveConfigured({ id, strategy, deployments, fallbacks, price, timeouts }: ModelConfig): ResolvedModel {
    return {
      id,
      strategy,
      fallbacks,
      deployments: deployments.flatMap(({ provider, model, weight }) => {
        const instance = this.registry.get(provider);
        return instance === undefined
          ? []
          : [{ id: `${provider}/${model}`, provider: instance, upstreamModel: model, weight, timeouts, price }];
      }),
    };
  }
}
