import { Injectable } from '@nestjs/common';
import { mayCallModel } from '../auth/may-call-model.js';
import type { Principal } from '../auth/principal.js';
import type { Usage } from '../chat/chat-completion.js';
import { nearestName } from '../config/nearest-name.js';
import { notFound, type GatewayError } from '../errors/gateway-error.js';
import { costAtPrice } from './cost.js';
import { KnownModels } from './known-models.js';
import { ModelList } from './model-list.js';
import type { ModelDto, ModelListDto } from './models.dto.js';
import type { Deployment, ResolvedModel } from './resolved-model.js';
import { Routing } from './routing/routing.service.js';
import type { RoutingTable } from './routing/routing-table.js';

/** What a client's `model` stands for, what it costs, and which models a key may see. */
@Injectable()
export class ModelsService {
  constructor(
    private readonly routing: Routing,
    private readonly known: KnownModels,
    private readonly modelList: ModelList,
  ) {}

  /**
   * What the routing table says of a model.
   *
   * @throws GatewayError 404 `model_not_found`
   */
  resolve(modelId: string, table: RoutingTable = this.routing.current): ResolvedModel {
    const model = table.resolve(modelId);
    if (model === undefined) throw this.unknown(modelId);
    return model;
  }

  /** US dollars of one completion, whole billionths; null when the price is unknown, never a made-up 0. */
  async costOf(usage: Usage, { baseUrl, upstreamModel, price }: Deployment): Promise<number | null> {
    if (price !== undefined) return inNanos(costAtPrice(usage, price));
    const cost = await this.known.costOf(usage, baseUrl, upstreamModel);
    return cost === null ? null : inNanos(cost);
  }

  async list(principal: Principal): Promise<ModelListDto> {
    const models = (await this.modelList.all()).filter(({ id }) => mayCallModel(principal, id));
    return { object: 'list', data: models, models };
  }

  /**
   * Whatever a chat completion would be served for: what is listed, and ids that a pattern or `provider/model` leads to. A model
   * that the key may not call answers exactly as one that there is not.
   */
  async find(modelId: string, principal: Principal): Promise<ModelDto> {
    const resolved = this.routing.current.resolve(modelId);
    const isAllowed =
      resolved !== undefined && (mayCallModel(principal, modelId) || mayCallModel(principal, resolved.id));
    if (!isAllowed) throw this.unknown(modelId, false);
    const model =
      (await this.modelList.all()).find(({ id }) => id === modelId) ??
      (await this.modelList.describeResolved(modelId, resolved));
    if (model === undefined) throw this.unknown(modelId, false);
    return model;
  }

  private unknown(modelId: string, withHint = true): GatewayError {
    const near = withHint ? nearestName(modelId, this.routing.current.ids) : undefined;
    const hint = near === undefined ? 'See GET /v1/models for those that exist.' : `Did you mean \`${near}\`?`;
    return notFound(
      `The model \`${modelId.slice(0, 256)}\` does not exist or you do not have access to it. ${hint}`,
      'model_not_found',
      'model',
    );
  }
}

/** Rounded once, so that the header, the record and the budget say the same. */
function inNanos(dollars: number): number {
  return Math.round(dollars * 1e9) / 1e9;
}
