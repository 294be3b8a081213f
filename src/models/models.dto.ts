import { ApiProperty } from '@nestjs/swagger';

/** US dollars per token, as decimal strings. */
export class ModelPricingDto {
  /** @example "0.00000025" */
  prompt!: string;
  /** @example "0.000002" */
  completion!: string;
}

/** What goes in and what comes out. */
export class ModelArchitectureDto {
  /** @example ["text", "image"] */
  input_modalities!: string[];
  /** @example ["text"] */
  output_modalities!: string[];
}

/** A model that the key may call. Fields below `owned_by` are there where they are known. */
export class ModelDto {
  /**
   * What to send as `model`.
   * @example "sandbox/echo"
   */
  id!: string;
  /** Always `model`. */
  @ApiProperty({ enum: ['model'], example: 'model' })
  object!: 'model';
  /** Unix seconds of its release; of the gateway's start where that is not known. */
  @ApiProperty({ type: 'integer', example: 1767225600 })
  created!: number;
  /** @example "sandbox" */
  owned_by!: string;
  /** @example "Sandbox echo" */
  name?: string;
  /** The same as `name`, under the key that some clients read. */
  @ApiProperty({ required: false, example: 'Sandbox echo' })
  display_name?: string;
  /** Tokens of prompt and answer together. */
  @ApiProperty({ type: 'integer', required: false, example: 400000 })
  context_length?: number;
  /** Most tokens of an answer. */
  @ApiProperty({ type: 'integer', required: false, example: 128000 })
  max_output_tokens?: number;
  architecture?: ModelArchitectureDto;
  pricing?: ModelPricingDto;
  /** @example ["tools", "reasoning"] */
  capabilities?: string[];
}

/** The models that the key may call: the same items under `data`, as OpenAI's clients read it, and under `models`. */
export class ModelListDto {
  /** Always `list`. */
  @ApiProperty({ enum: ['list'], example: 'list' })
  object!: 'list';
  data!: ModelDto[];
  /** A list of available models. */
  models!: ModelDto[];
}
