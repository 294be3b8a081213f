import { invalidRequest } from '../../errors/gateway-error.js';
import type { EmbeddingInput, EmbeddingRequest } from '../../operations/embeddings/embedding-request.js';

/** Members that each wire format has a place for, or that are the gateway's own. */
const ALWAYS_READ = ['model', 'input', 'encoding_format', 'strict_params', 'metadata'];
/** The purpose of a text: Cohere's words, and Google's. */
const GOOGLE_TASK_TYPES: Readonly<Record<string, string>> = {
  search_document: 'RETRIEVAL_DOCUMENT',
  document: 'RETRIEVAL_DOCUMENT',
  search_query: 'RETRIEVAL_QUERY',
  query: 'RETRIEVAL_QUERY',
  classification: 'CLASSIFICATION',
  clustering: 'CLUSTERING',
};

/**
 * The texts of inputs, for a provider that takes no tokens.
 *
 * @param first index of the first input in the request
 * @throws GatewayError 400 for tokens, which belong to the tokenizer of one model
 */
export function textsOf(inputs: readonly EmbeddingInput[], first: number, { input }: EmbeddingRequest): string[] {
  return inputs.map((text, index) => {
    if (typeof text === 'string') return text;
    const isOnly = Array.isArray(input) && typeof input[0] === 'number';
    const path = isOnly ? 'input' : `input[${first + index}]`;
    throw invalidRequest(
      `'${path}' is a list of tokens, which this model's provider does not take. Send the text itself (LangChain: check_embedding_ctx_length=False).`,
      path,
      'unsupported_value',
    );
  });
}

/**
 * @throws GatewayError 400 for an encoding that only some OpenAI-compatible servers know, such as `int8`
 */
export function assertFloats({ encoding_format: format }: EmbeddingRequest): void {
  if (format == null || format === 'float' || format === 'base64') return;
  throw invalidRequest(
    `'encoding_format' must be "float" or "base64" with this model's provider.`,
    'encoding_format',
    'unsupported_value',
  );
}

/** Names of the members that have a value and that a wire format does not read. */
export function unreadMembers(request: EmbeddingRequest, read: readonly string[]): string[] {
  return Object.keys(request).filter(
    (name) => request[name] != null && !ALWAYS_READ.includes(name) && !read.includes(name),
  );
}

/** The member of the first name that has a value; undefined where null or nothing was sent. */
export function member(request: EmbeddingRequest, ...names: readonly string[]): unknown {
  for (const name of names) if (request[name] != null) return request[name];
  return undefined;
}

/** Google's task type: its own words as they are, Cohere's and Voyage's translated. */
export function googleTaskType(request: EmbeddingRequest): unknown {
  const own = member(request, 'task_type', 'taskType');
  if (own !== undefined) return own;
  const type = request.input_type;
  return typeof type === 'string' ? (GOOGLE_TASK_TYPES[type] ?? type) : undefined;
}

/** The members of an object whose value is not undefined, so that a body can be compared and signed as it is printed. */
export function defined(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** A model's id as one segment of a path. */
export function modelSegment(upstreamModel: string): string {
  return encodeURIComponent(upstreamModel.replace(/^models\//, ''));
}
