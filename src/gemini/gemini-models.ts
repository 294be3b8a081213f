import { Injectable } from '@nestjs/common';
import type { Principal } from '../auth/principal.js';
import type { ModelDto } from '../models/models.dto.js';
import { ModelsService } from '../models/models.service.js';
import type { GeminiModelDto, GeminiModelListDto } from './gemini.dto.js';

/** The models of a key in Gemini's form. */
@Injectable()
export class GeminiModels {
  constructor(private readonly models: ModelsService) {}

  async list(principal: Principal): Promise<GeminiModelListDto> {
    const { data } = await this.models.list(principal);
    return { models: data.map(describe) };
  }

  /** @throws GatewayError 404 for a model that there is not, or that the key may not call */
  async find(model: string, principal: Principal): Promise<GeminiModelDto> {
    return describe(await this.models.find(model, principal));
  }
}

function describe({ id, name, context_length: input, max_output_tokens: output }: ModelDto): GeminiModelDto {
  return {
    name: `models/${id}`,
    displayName: name ?? id,
    version: '001',
    ...(input !== undefined && { inputTokenLimit: input }),
    ...(output !== undefined && { outputTokenLimit: output }),
    supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens', 'embedContent'],
  };
}
