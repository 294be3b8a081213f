import { Injectable } from '@nestjs/common';
import { mayCallModel } from '../auth/may-call-model.js';
import type { Principal } from '../auth/principal.js';
import { ModelCatalog } from './model-catalog.js';
import type { ModelDto, ModelListDto } from './models.dto.js';
import { unknownModel } from '../routing/unknown-model.js';
import { Routing } from '../routing/routing.service.js';

/** Which models a key may see, and what is known of them. */
@Injectable()
export class ModelsService {
  constructor(
    private readonly routing: Routing,
    private readonly modelList: ModelCatalog,
  ) {}

  async list(principal: Principal): Promise<ModelListDto> {
    const models = (await this.modelList.all()).filter(({ id }) => mayCallModel(principal, id));
    return {
      object: 'list',
      data: models,
      models,
      first_id: models[0]?.id ?? null,
      last_id: models.at(-1)?.id ?? null,
      has_more: false,
    };
  }

  /**
   * Any model that a chat completion can be requested for: listed ones, and ids that match a pattern or `provider/model`. A model
   * that the key may not call has the same response as an unknown one.
   */
  async find(modelId: string, principal: Principal): Promise<ModelDto> {
    const resolved = this.routing.current.resolve(modelId);
    const isAllowed =
      resolved !== undefined && (mayCallModel(principal, modelId) || mayCallModel(principal, resolved.id));
    if (!isAllowed) throw unknownModel(modelId);
    const model =
      (await this.modelList.all()).find(({ id }) => id === modelId) ??
      (await this.modelList.describeResolved(modelId, resolved));
    if (model === undefined) throw unknownModel(modelId);
    return model;
  }
}
