/** One text, or the tokens of one text as the model's own tokenizer numbers them. */
export type EmbeddingInput = string | readonly number[];

/**
 * An embeddings request, as OpenAI has it and as the client sent it. Members that are not named here pass through to
 * OpenAI-compatible providers. An explicit null means absent.
 */
export interface EmbeddingRequest {
  readonly model: string;
  /** One text, several, the tokens of one text, or those of several. */
  readonly input: string | readonly string[] | readonly number[] | readonly (readonly number[])[];
  /** Length of each vector, for models that can shorten them. */
  readonly dimensions?: number | null;
  /** `float` (the default) or `base64`: little-endian 32-bit floats. */
  readonly encoding_format?: string | null;
  /** The client's own id of the end user. */
  readonly user?: string | null;
  /** The purpose of the texts, in Cohere's words, such as `search_document` or `search_query`. */
  readonly input_type?: string | null;
  readonly [field: string]: unknown;
}

/** Most texts of one request, as OpenAI has it. */
export const MAX_EMBEDDING_INPUTS = 2_048;

/** The inputs of a request in order, each of which gets a vector. */
export function inputsOf({ input }: Pick<EmbeddingRequest, 'input'>): readonly EmbeddingInput[] {
  if (typeof input === 'string') return [input];
  return isTokens(input) ? [input] : input;
}

function isTokens(input: Exclude<EmbeddingRequest['input'], string>): input is readonly number[] {
  return typeof input[0] === 'number';
}
