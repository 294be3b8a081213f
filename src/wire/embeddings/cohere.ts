import { readTokenCount, type TokenCount } from '../../runtime/token-count.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import type { EmbeddingInput, EmbeddingRequest } from '../../operations/embeddings/embedding-request.js';
import type { EmbeddingPart } from '../../operations/embeddings/embedding-result.js';
import type { EmbeddingResponse, EmbeddingWire, WrittenCall } from './embedding-wire.js';
import { parseObject } from './parse-object.js';
import { countInHeader, encodeVector, readVectors } from './read-vectors.js';
import { assertFloats, defined, member, modelSegment, textsOf, unreadMembers } from './write-inputs.js';

const READ = ['dimensions', 'input_type', 'truncate', 'max_tokens', 'priority'];
/** The most likely purpose of texts from OpenAI clients, which do not name one. Cohere requires it. */
const DEFAULT_INPUT_TYPE = 'search_document';
/** Voyage's words for it. */
const INPUT_TYPES: Readonly<Record<string, string>> = { document: 'search_document', query: 'search_query' };
const INPUT_TOKENS_HEADER = 'x-amzn-bedrock-input-token-count';

/** Cohere's `POST /v2/embed`. */
export class CohereEmbeddings implements EmbeddingWire {
  readonly maxInputs = 96;

  constructor(private readonly upstreamModel: string) {}

  dropped(request: EmbeddingRequest): string[] {
    return unreadMembers(request, READ);
  }

  write(request: EmbeddingRequest, inputs: readonly EmbeddingInput[], first: number): WrittenCall {
    const body = { model: this.upstreamModel, ...bodyOf(request, inputs, first) };
    return { path: '/embed', body: defined({ ...body, priority: member(request, 'priority') }) };
  }

  read({ text }: EmbeddingResponse, request: EmbeddingRequest, inputs: readonly EmbeddingInput[]): EmbeddingPart {
    const body = parseObject(text);
    return { vectors: vectorsOf(body, request, inputs.length), tokens: billedTokens(body), model: undefined };
  }
}

/** Cohere's models on Bedrock, `POST /model/{model}/invoke`, which reports the tokens in a header. */
export class BedrockCohereEmbeddings implements EmbeddingWire {
  readonly maxInputs = 96;

  constructor(private readonly upstreamModel: string) {}

  dropped(request: EmbeddingRequest): string[] {
    return [...unreadMembers(request, READ), ...(request['priority'] == null ? [] : ['priority'])];
  }

  write(request: EmbeddingRequest, inputs: readonly EmbeddingInput[], first: number): WrittenCall {
    return { path: `/model/${modelSegment(this.upstreamModel)}/invoke`, body: bodyOf(request, inputs, first) };
  }

  read(
    { text, headers }: EmbeddingResponse,
    request: EmbeddingRequest,
    inputs: readonly EmbeddingInput[],
  ): EmbeddingPart {
    const body = parseObject(text);
    const tokens = billedTokens(body) ?? countInHeader(headers[INPUT_TOKENS_HEADER]);
    return { vectors: vectorsOf(body, request, inputs.length), tokens, model: undefined };
  }
}

function bodyOf(request: EmbeddingRequest, inputs: readonly EmbeddingInput[], first: number): JsonObject {
  assertFloats(request);
  const type = request.input_type;
  return defined({
    texts: textsOf(inputs, first, request),
    input_type: typeof type === 'string' ? (INPUT_TYPES[type] ?? type) : DEFAULT_INPUT_TYPE,
    embedding_types: ['float'],
    output_dimension: member(request, 'dimensions'),
    truncate: member(request, 'truncate'),
    max_tokens: member(request, 'max_tokens'),
  });
}

/** Vectors by type, or one list, which older models return. */
function vectorsOf({ embeddings }: JsonObject, request: EmbeddingRequest, count: number): EmbeddingPart['vectors'] {
  const floats = isObject(embeddings) ? embeddings['float'] : embeddings;
  return readVectors(floats, count).map((vector) => encodeVector(vector, request));
}

function billedTokens({ meta }: JsonObject): TokenCount | undefined {
  const billed = isObject(meta) ? meta['billed_units'] : undefined;
  return isObject(billed) ? readTokenCount(billed['input_tokens']) : undefined;
}
