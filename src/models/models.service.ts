import { Injectable } from '@nestjs/common';
import { mayCallModel } from '../auth/may-call-model.js';
import type { Principal } from '../auth/principal.js';
import type { BilledTokens } from '../pricing/billed-tokens.js';
import { boundNanoDollars, type NanoDollars } from '../runtime/nano-dollars.js';
import { nearestName } from '../config/nearest-name.js';
import { notFound, type GatewayError } from '../errors/gateway-error.js';
import { costAtPrice } from '../pricing/cost.js';
import { KnownModels } from '../pricing/known-models.js';
import { ModelList } from './model-list.js';
import type { ModelDto, ModelListDto } from './models.dto.js';
import type { Deployment, ResolvedModel } from '../routing/resolved-model.js';
import { Routing } from '../routing/routing.service.js';
import type { RoutingTable } from '../routing/routing-table.js';

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

  /** What one completion costs; null when the price is unknown, never a made-up 0. */
  async costOf(tokens: BilledTokens, { baseUrl, upstreamModel, price }: Deployment): Promise<NanoDollars | null> {
    return price === undefined ? this.known.costOf(tokens, baseUrl, upstreamModel) : costAtPrice(tokens, price);
  }

  /** The most that prompt and completion of these lengths can cost: a prompt that is put into a cache may cost more. */
  async mostOf(tokens: BilledTokens, deployment: Deployment): Promise<NanoDollars | null> {
    const plain = await this.costOf(tokens, deployment);
    const written = await this.costOf({ ...tokens, cacheWriteTokens: tokens.promptTokens }, deployment);
    return plain === null ? null : boundNanoDollars(Math.max(plain, written ?? 0));
  }

  /** Tokens of the longest answer of a model, as far as the file says it. */
  maxOutputTokensOf(modelId: string): number | undefined {
    return this.routing.current.resolve(modelId)?.maxOutputTokens;
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
