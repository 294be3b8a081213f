import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsDefined, IsNotEmpty, IsObject, IsOptional, IsString, MaxLength } from 'class-validator';
import { IsSmallObject } from '../http/is-small-object.js';

/** A moderations request. Fields that are not named here travel through untouched to an OpenAI-compatible provider. */
export class ModerationRequestDto {
  /** What to classify: one text, an array of texts (a result for each), or the parts of one input with pictures (one result). */
  @ApiProperty({
    oneOf: [
      { type: 'string' },
      { type: 'array', minItems: 1, items: { type: 'string' } },
      {
        type: 'array',
        minItems: 1,
        items: {
          type: 'object',
          required: ['type'],
          properties: { type: { type: 'string', example: 'text' } },
          additionalProperties: true,
        },
      },
    ],
    example: 'I want to kill them.',
  })
  @IsDefined()
  input!: unknown;

  /**
   * The id of the model: one of GET /v1/models. Default `omni-moderation-latest`, or `openai/omni-moderation-latest`.
   * @example "sandbox/moderate"
   */
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(256)
  model?: string | null;

  /** Any JSON object of at most 16 KB. It is kept with the usage record and never sent to the provider. */
  @ApiProperty({
    selfRequired: false,
    nullable: true,
    type: 'object',
    additionalProperties: true,
    example: { ticket: 'T-1' },
  })
  @IsOptional()
  @IsObject()
  @IsSmallObject()
  metadata?: Record<string, unknown> | null;

  /**
   * Whether a parameter that the provider cannot take is a 400. Otherwise it is left out and named in
   * `x-gateway-dropped-params`.
   * @example false
   */
  @IsOptional()
  @IsBoolean()
  strict_params?: boolean | null;
}

/** What was found in one input. */
export class ModerationDto {
  /**
   * Whether any category was found.
   * @example true
   */
  flagged!: boolean;

  /** Each category, and whether it was found. */
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'boolean', nullable: true },
    example: { violence: true },
  })
  categories!: unknown;

  /** Each category's score, 0 to 1. */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'number' }, example: { violence: 0.98 } })
  category_scores!: unknown;

  /** For each category the kinds of input that it was looked for in, where the provider says it. */
  @ApiProperty({
    selfRequired: false,
    type: 'object',
    additionalProperties: { type: 'array', items: { type: 'string' } },
    example: { violence: ['text'] },
  })
  category_applied_input_types?: unknown;
}

/** The results, in the order of the inputs. */
export class ModerationResponseDto {
  /**
   * The id of the response.
   * @example "modr-1"
   */
  id!: string;

  /**
   * The model that the provider ran.
   * @example "sandbox/moderate"
   */
  model!: string;

  /** One result for each input. */
  results!: ModerationDto[];
}
