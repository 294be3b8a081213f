import { ApiProperty } from '@nestjs/swagger';
import { IsDefined, IsNotEmpty, IsOptional, IsString, MaxLength } from 'class-validator';
import { GatewayFieldsDto } from '../model-endpoint/gateway-fields.dto.js';

/** A moderations request. Fields that are not named here travel through untouched to an OpenAI-compatible provider. */
export class ModerationRequestDto extends GatewayFieldsDto {
  /**
   * The input to classify: one text, an array of texts (a result for each), or the parts of one input with pictures (one
   * result).
   */
  @ApiProperty({
    oneOf: [
      { type: 'string' },
      { type: 'array', minItems: 1, maxItems: 2_048, items: { type: 'string' } },
      {
        type: 'array',
        minItems: 1,
        maxItems: 2_048,
        items: {
          oneOf: [
            {
              type: 'object',
              required: ['type', 'text'],
              properties: { type: { type: 'string', enum: ['text'] }, text: { type: 'string' } },
              additionalProperties: true,
            },
            {
              type: 'object',
              required: ['type', 'image_url'],
              properties: {
                type: { type: 'string', enum: ['image_url'] },
                image_url: {
                  type: 'object',
                  required: ['url'],
                  properties: { url: { type: 'string' } },
                  additionalProperties: true,
                },
              },
              additionalProperties: true,
            },
            // Other parts go to the provider as they are.
            {
              type: 'object',
              required: ['type'],
              properties: { type: { type: 'string', not: { enum: ['text', 'image_url'] } } },
              additionalProperties: true,
            },
          ],
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
}

/** The result of one input. */
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
