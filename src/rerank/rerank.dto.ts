import { ApiProperty } from '@nestjs/swagger';
import { IsArray, IsBoolean, IsInt, IsNotEmpty, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { GatewayFieldsDto } from '../model-endpoint/gateway-fields.dto.js';

/**
 * A rerank request, as Cohere, Jina and vLLM have it. Fields that are not named here travel through untouched to a provider of
 * Jina's format. An explicit null means absent.
 */
export class RerankRequestDto extends GatewayFieldsDto {
  /**
   * The id of the model: one of GET /v1/models.
   * @example "sandbox/rerank"
   */
  @IsString()
  @IsNotEmpty()
  @MaxLength(256)
  model!: string;

  /**
   * The text with which the documents are compared.
   * @example "Where is the station?"
   */
  @IsString()
  @IsNotEmpty()
  query!: string;

  /** Texts, or objects with a `text`, at most 10,000. */
  @ApiProperty({
    type: 'array',
    minItems: 1,
    maxItems: 10_000,
    items: { oneOf: [{ type: 'string' }, { type: 'object', additionalProperties: true }] },
    example: ['The bakery opens at six.', 'The station is behind the park.'],
  })
  @IsArray()
  documents!: unknown;

  /**
   * How many results, best first; all of them where it is absent.
   * @example 1
   */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  top_n?: number | null;

  /**
   * Whether each result has its document. Default false.
   * @example true
   */
  @IsOptional()
  @IsBoolean()
  return_documents?: boolean | null;

  /**
   * The fields of object documents that are compared, in this order. Default `text`.
   * @example ["text"]
   */
  @ApiProperty({ required: false, nullable: true, type: 'array', items: { type: 'string' }, example: ['text'] })
  @IsOptional()
  @IsArray()
  @IsString({ each: true })
  rank_fields?: string[] | null;
}

/** A document's place. */
export class RankedDocumentDto {
  /**
   * The place of the document in the request.
   * @example 1
   */
  index!: number;

  /**
   * How well it fits the query; larger is better. Scores of different models cannot be compared.
   * @example 0.62
   */
  relevance_score!: number;

  /** With `return_documents: true`: the document, a text as `{"text": "..."}`. */
  @ApiProperty({ selfRequired: false, type: 'object', additionalProperties: true })
  document?: unknown;
}

/** The documents by how well they fit the query. */
export class RerankResponseDto {
  /**
   * The id of the response.
   * @example "rerank-1"
   */
  id!: string;

  /**
   * Always `list`.
   * @example "list"
   */
  object!: string;

  /**
   * The model that the provider ran.
   * @example "sandbox/rerank"
   */
  model!: string;

  /** Best first. */
  results!: RankedDocumentDto[];

  /** As Cohere's clients read it: the version of the API, and what the provider bills as far as it said. */
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: { api_version: { version: '2' }, billed_units: { search_units: 1 } },
  })
  meta!: unknown;

  /** In Jina's form. Estimated where the provider reports no tokens and no searches. */
  @ApiProperty({
    selfRequired: false,
    type: 'object',
    properties: { prompt_tokens: { type: 'integer' }, total_tokens: { type: 'integer' } },
    example: { prompt_tokens: 14, total_tokens: 14 },
  })
  usage?: unknown;
}
