import { ApiProperty } from '@nestjs/swagger';
import { IsDefined, IsInt, IsNotEmpty, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { GatewayFieldsDto } from '../model-endpoint/gateway-fields.dto.js';

/** Longer than any model's vectors. */
const MAX_DIMENSIONS = 65_536;

/**
 * An embeddings request. Fields that are not named here travel through untouched to an OpenAI-compatible provider. An explicit
 * null means absent.
 */
export class EmbeddingRequestDto extends GatewayFieldsDto {
  /**
   * The id of the model: one of GET /v1/models.
   * @example "sandbox/embed"
   */
  @IsString()
  @IsNotEmpty()
  @MaxLength(256)
  model!: string;

  /**
   * What to embed: one text, an array of texts, the tokens of one text, or an array of tokens of texts; at most 2,048 texts.
   * Providers that take fewer at once are called several times. Tokens are refused where the provider takes texts alone.
   */
  @ApiProperty({
    oneOf: [
      { type: 'string' },
      { type: 'array', minItems: 1, maxItems: 2_048, items: { type: 'string' } },
      { type: 'array', minItems: 1, items: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } },
      {
        type: 'array',
        minItems: 1,
        maxItems: 2_048,
        items: { type: 'array', minItems: 1, items: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } },
      },
    ],
    example: ['Where is the station?', 'The station is behind the park.'],
  })
  @IsDefined()
  input!: unknown;

  /**
   * Length of the vectors, for models that can shorten them. A model that cannot refuses it.
   * @example 256
   */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_DIMENSIONS)
  dimensions?: number | null;

  /**
   * How vectors are written: `float` (the default) is an array of numbers, `base64` is little-endian 32-bit floats in base64.
   * @example "float"
   */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  encoding_format?: string | null;

  /**
   * The purpose of the texts, for models that distinguish it: `search_document`, `search_query`, `classification` or
   * `clustering`. Cohere's models get `search_document` where it is absent.
   * @example "search_document"
   */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  input_type?: string | null;

  /**
   * Your own id of the end user.
   * @example "user-42"
   */
  @IsOptional()
  @IsString()
  @MaxLength(512)
  user?: string | null;
}

/** The vector of one input. */
export class EmbeddingDto {
  /**
   * Always `embedding`.
   * @example "embedding"
   */
  object!: string;

  /**
   * The place of the input in the request.
   * @example 0
   */
  index!: number;

  /** The vector: numbers, or with `encoding_format: base64` a text. */
  @ApiProperty({ oneOf: [{ type: 'array', items: { type: 'number' } }, { type: 'string' }], example: [0.8, -0.6] })
  embedding!: unknown;
}

/** Tokens of the request. */
export class EmbeddingUsageDto {
  /**
   * Tokens of all inputs; estimated where the provider does not count them.
   * @example 12
   */
  prompt_tokens!: number;

  /**
   * Equal to `prompt_tokens`: embeddings have no output tokens.
   * @example 12
   */
  total_tokens!: number;
}

/** The vectors, in the order of the inputs. */
export class EmbeddingListDto {
  /**
   * Always `list`.
   * @example "list"
   */
  object!: string;

  /** One vector for each input. */
  data!: EmbeddingDto[];

  /**
   * The model that the provider ran.
   * @example "sandbox/embed"
   */
  model!: string;

  usage!: EmbeddingUsageDto;
}
