import { ApiProperty } from '@nestjs/swagger';

/** US dollars per token, as decimal strings. */
export class ModelPricingDto {
  /**
   * One token of the prompt.
   * @example "0.00000025"
   */
  prompt!: string;
  /**
   * One token of the response.
   * @example "0.000002"
   */
  completion!: string;
}

/** The input and output modalities. */
export class ModelArchitectureDto {
  /**
   * The input modalities of the model.
   * @example ["text", "image"]
   */
  input_modalities!: string[];
  /**
   * The output modalities of the model.
   * @example ["text"]
   */
  output_modalities!: string[];
}

/** A model that the key may call. Fields below `owned_by` are there where they are known. */
export class ModelDto {
  /**
   * The value to send as `model`.
   * @example "sandbox/echo"
   */
  id!: string;
  /** Always `model`. */
  @ApiProperty({ enum: ['model'], example: 'model' })
  object!: 'model';
  /** The same, as Anthropic's clients read it. */
  @ApiProperty({ enum: ['model'], example: 'model' })
  type!: 'model';
  /** Unix seconds of its release; of the gateway's start where that is not known. */
  @ApiProperty({ type: 'integer', example: 1767225600 })
  created!: number;
  /** `created` in RFC 3339, which Anthropic's clients read. */
  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00Z' })
  created_at!: string;
  /**
   * The provider that made the model, or that serves it.
   * @example "sandbox"
   */
  owned_by!: string;
  /**
   * A name to show to people.
   * @example "Sandbox echo"
   */
  name?: string;
  /** The same as `name`, or the id where it has none, under the key that some clients read. */
  @ApiProperty({ example: 'Sandbox echo' })
  display_name!: string;
  /** Tokens of prompt and response together. */
  @ApiProperty({ type: 'integer', required: false, example: 400000 })
  context_length?: number;
  /** The same, as Anthropic's clients read it. */
  @ApiProperty({ type: 'integer', required: false, example: 400000 })
  max_input_tokens?: number;
  /** Most tokens of a response. */
  @ApiProperty({ type: 'integer', required: false, example: 128000 })
  max_output_tokens?: number;
  /** Kinds of input and output. */
  architecture?: ModelArchitectureDto;
  /** Price per token. */
  pricing?: ModelPricingDto;
  /**
   * The further capabilities of the model, as the catalogue names them.
   * @example ["tools", "reasoning"]
   */
  capabilities?: string[];
}

/** The models that the key may call: the same items under `data`, as OpenAI's clients read it, and under `models`. */
export class ModelListDto {
  /** Always `list`. */
  @ApiProperty({ enum: ['list'], example: 'list' })
  object!: 'list';
  /** The models, as OpenAI's clients read them. */
  data!: ModelDto[];
  /** A list of available models. */
  models!: ModelDto[];
  /** The first id of the list, as Anthropic's clients read it; null where it is empty. */
  @ApiProperty({ type: 'string', nullable: true, example: 'sandbox/echo' })
  first_id!: string | null;
  /** The last id of the list. */
  @ApiProperty({ type: 'string', nullable: true, example: 'sandbox/lorem' })
  last_id!: string | null;
  /** Always false: the list is whole. */
  @ApiProperty({ type: 'boolean', example: false })
  has_more!: boolean;
}
