import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { OpenObject } from '../openapi/open-object.decorator.js';

const OBJECT = { type: 'object', additionalProperties: true } as const;
/** A member that may be absent, with members that are Google's. */
const OptionalObject = (): PropertyDecorator => ApiPropertyOptional({ type: 'object', additionalProperties: true });

/** A turn of a conversation. */
export class GeminiContentDto {
  /** The role: `user` or `model`. */
  @ApiProperty({ required: false, enum: ['user', 'model'], example: 'user' })
  role?: string;
  /** Text, media, calls of functions and their results. */
  @ApiProperty({ type: 'array', minItems: 1, items: OBJECT, example: [{ text: 'Where is the station?' }] })
  parts!: Record<string, unknown>[];
}

/** A request for content. Every name may be written in camel case or in snake case. */
@OpenObject()
export class GenerateContentRequestDto {
  /** The turns of the conversation, the last one of the user. */
  @ApiProperty({ type: [GeminiContentDto], minItems: 1 })
  contents!: GeminiContentDto[];
  /** Instructions, as text. */
  systemInstruction?: GeminiContentDto;
  /** Functions under `functionDeclarations`, and tools that Google runs, which only Gemini takes. */
  @ApiProperty({ type: 'array', required: false, items: OBJECT })
  tools?: Record<string, unknown>[];
  /** Which functions may or must be called, under `functionCallingConfig`. */
  @OptionalObject()
  toolConfig?: Record<string, unknown>;
  /** Settings such as `maxOutputTokens`, `temperature`, `responseSchema` and `thinkingConfig`. */
  @OptionalObject()
  generationConfig?: Record<string, unknown>;
  /** Thresholds of Google's filters, which only Gemini has. */
  @ApiProperty({ type: 'array', required: false, items: OBJECT })
  safetySettings?: Record<string, unknown>[];
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
export class GeminiCountRequestDto {
  /** The turns of the conversation. */
  @ApiProperty({ type: [GeminiContentDto], required: false, minItems: 1 })
  contents?: GeminiContentDto[];
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
export class EmbedContentRequestDto {
  /** The text, in parts. */
  content!: GeminiContentDto;
  /** The purpose of the vector, such as `RETRIEVAL_QUERY`. */
  taskType?: string;
  /** Title of a document. */
  title?: string;
  /** Length of the vector, for models that can shorten it. */
  @ApiProperty({ type: 'integer', required: false, example: 8 })
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
