import { ApiExtraModels, ApiProperty, ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';
import { OpenObject } from '../openapi/open-object.decorator.js';

const OBJECT = { type: 'object', additionalProperties: true } as const;
/** A member that may be absent, with members that are Google's. */
const OptionalObject = (): PropertyDecorator => ApiPropertyOptional({ type: 'object', additionalProperties: true });

/** Google reads one object where its format has a list of them. */
const oneOrMore = (item: object) => ({ oneOf: [{ type: 'array', items: item }, item] });

/** A turn of a conversation. */
export class GeminiContentDto {
  /** The role: `user` or `model`, in any case; none is the user. */
  @ApiProperty({ required: false, type: 'string', example: 'user' })
  role?: string;
  /** Text, media, calls of functions and their results. A turn of the model may have none. */
  @ApiProperty({ required: false, ...oneOrMore(OBJECT), example: [{ text: 'Where is the station?' }] })
  parts?: unknown;
}

/** A text to embed, in parts. */
export class GeminiTextDto {
  /** Not read: every text is one of the user. */
  @ApiProperty({ required: false, type: 'string', example: 'user' })
  role?: string;
  /** Texts, which are joined by line breaks. */
  @ApiProperty({
    oneOf: [{ type: 'array', minItems: 1, items: OBJECT }, OBJECT],
    example: [{ text: 'Where is the station?' }],
  })
  parts!: unknown;
}

const TURNS = {
  oneOf: [
    { type: 'array', minItems: 1, items: { $ref: getSchemaPath(GeminiContentDto) } },
    { $ref: getSchemaPath(GeminiContentDto) },
  ],
  example: [{ role: 'user', parts: [{ text: 'Where is the station?' }] }],
};

/** A request for content. Every name may be written in camel case or in snake case. */
@OpenObject()
@ApiExtraModels(GeminiContentDto)
export class GenerateContentRequestDto {
  /** The turns of the conversation, the last one of the user; or one turn. */
  @ApiProperty(TURNS)
  contents!: unknown;
  /** Instructions: a text, or text in parts. */
  @ApiProperty({ required: false, oneOf: [{ type: 'string' }, { $ref: getSchemaPath(GeminiContentDto) }] })
  systemInstruction?: unknown;
  /** Functions under `functionDeclarations`, and tools that Google runs, which only Gemini takes. */
  @ApiProperty({ required: false, ...oneOrMore(OBJECT) })
  tools?: unknown;
  /** Which functions may or must be called, under `functionCallingConfig`. */
  @OptionalObject()
  toolConfig?: Record<string, unknown>;
  /** Settings such as `maxOutputTokens`, `temperature`, `responseSchema` and `thinkingConfig`. */
  @OptionalObject()
  generationConfig?: Record<string, unknown>;
  /** Thresholds of Google's filters, which only Gemini has. */
  @ApiProperty({ required: false, ...oneOrMore(OBJECT) })
  safetySettings?: unknown;
}

/** A response, or one event of a stream, with all that Gemini says beside these members. */
@OpenObject()
export class GenerateContentResponseDto {
  /** The responses, each with `content`, `finishReason` and `index`. None where the prompt was blocked. */
  @ApiProperty({ type: 'array', items: OBJECT, required: false })
  candidates?: Record<string, unknown>[];
  /** Why the prompt was blocked, as `blockReason`. */
  @OptionalObject()
  promptFeedback?: Record<string, unknown>;
  /** Counts of tokens. */
  @OptionalObject()
  usageMetadata?: Record<string, unknown>;
  /**
   * The model that served the request.
   * @example "sandbox/echo"
   */
  modelVersion?: string;
  /** The id of the response. */
  responseId?: string;
}

/** The content to count: `contents`, or a whole request. */
@ApiExtraModels(GeminiContentDto)
export class GeminiCountRequestDto {
  /** The turns of the conversation, or one turn. */
  @ApiProperty({ required: false, ...TURNS })
  contents?: unknown;
  /** A whole request, in place of `contents`. */
  generateContentRequest?: GenerateContentRequestDto;
}

/** A count of tokens. */
export class GeminiCountDto {
  /** Tokens of the prompt. */
  @ApiProperty({ type: 'integer', example: 12 })
  totalTokens!: number;
}

/** A text to embed. */
@ApiExtraModels(GeminiTextDto)
export class EmbedContentRequestDto {
  /** The text, plain or in parts. */
  @ApiProperty({
    oneOf: [{ type: 'string' }, { $ref: getSchemaPath(GeminiTextDto) }],
    example: { parts: [{ text: 'Where is the station?' }] },
  })
  content!: unknown;
  /** The purpose of the vector, such as `RETRIEVAL_QUERY`. */
  taskType?: string;
  /** Title of a document. */
  title?: string;
  /** Length of the vector, for models that can shorten it. */
  @ApiProperty({ type: 'integer', required: false, minimum: 1, maximum: 65_536, example: 8 })
  outputDimensionality?: number;
}

/** Several texts to embed with the same settings. */
export class BatchEmbedContentsRequestDto {
  /** The texts. */
  @ApiProperty({ type: [EmbedContentRequestDto], minItems: 1 })
  requests!: EmbedContentRequestDto[];
}

/** A vector. */
export class GeminiVectorDto {
  /** Its numbers. */
  @ApiProperty({ type: 'array', items: { type: 'number' } })
  values!: number[];
}

/** The vector of a text. */
export class EmbedContentResponseDto {
  /** The vector. */
  embedding!: GeminiVectorDto;
  /** Counts of tokens, where the provider gives them. */
  @OptionalObject()
  usageMetadata?: Record<string, unknown>;
}

/** The vectors of several texts, in their order. */
export class BatchEmbedContentsResponseDto {
  /** The vectors. */
  embeddings!: GeminiVectorDto[];
  /** Counts of tokens, where the provider gives them. */
  @OptionalObject()
  usageMetadata?: Record<string, unknown>;
}

/** A model that the key may call. */
export class GeminiModelDto {
  /**
   * The id behind `models/`.
   * @example "models/sandbox/echo"
   */
  name!: string;
  /**
   * A name to show to people.
   * @example "Sandbox echo"
   */
  displayName!: string;
  /** Always `001`: the gateway does not know versions. */
  @ApiProperty({ example: '001' })
  version!: string;
  /** Most tokens of a prompt, where it is known. */
  @ApiProperty({ type: 'integer', required: false, example: 1048576 })
  inputTokenLimit?: number;
  /** Most tokens of a response, where it is known. */
  @ApiProperty({ type: 'integer', required: false, example: 65536 })
  outputTokenLimit?: number;
  /**
   * The methods of this API.
   * @example ["generateContent"]
   */
  supportedGenerationMethods!: string[];
}

/** The models that the key may call. */
export class GeminiModelListDto {
  /** All of them, on one page. */
  models!: GeminiModelDto[];
}
