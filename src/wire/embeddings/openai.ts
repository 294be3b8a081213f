import { readTokenCount, type TokenCount } from '../../runtime/token-count.js';
import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import type { EmbeddingInput, EmbeddingRequest } from '../../operations/embeddings/embedding-request.js';
import type { EmbeddingPart, EmbeddingVector } from '../../operations/embeddings/embedding-result.js';
import type { OpenAiEmbeddingRules } from '../../providers/definitions/types/operation-formats.js';
import type { EmbeddingResponse, EmbeddingWire, WrittenCall } from './embedding-wire.js';
import { parseObject } from './parse-object.js';
import { badEmbeddings, encodeVector, readNumbers } from './read-vectors.js';
import { textsOf } from './write-inputs.js';

/** Members that the gateway reads itself. */
const OWN_MEMBERS = new Set(['strict_params', 'metadata']);
/** Members by which a client asks for values that are no 32-bit floats, which are then left as they came. */
const TYPE_MEMBERS = ['output_dtype', 'embedding_type', 'embedding_types'];
const DEFAULT_MAX_INPUTS = 2_048;

/** `POST /embeddings` of OpenAI, Azure, Mistral, Voyage, Jina, Together, Fireworks, vLLM, llama.cpp, LM Studio, TEI, ... */
export class OpenAiEmbeddings implements EmbeddingWire {
  readonly maxInputs: number;
  readonly maxTokens?: number;

  constructor(
    private readonly upstreamModel: string,
    private readonly rules: OpenAiEmbeddingRules = {},
  ) {
    this.maxInputs = rules.maxInputs ?? DEFAULT_MAX_INPUTS;
    if (rules.maxTokens !== undefined) this.maxTokens = rules.maxTokens;
  }

  dropped(request: EmbeddingRequest): string[] {
    return Object.keys(request).filter((name) => request[name] != null && !this.takes(name));
  }

  write(request: EmbeddingRequest, inputs: readonly EmbeddingInput[], first: number): WrittenCall {
    const { takesTokens = true, dimensions = 'dimensions', encodings } = this.rules;
    if (!takesTokens) textsOf(inputs, first, request);
    const body: JsonObject = {};
    for (const [name, value] of Object.entries(request)) {
      if (value === null || OWN_MEMBERS.has(name) || !this.takes(name)) continue;
      body[name === 'dimensions' ? dimensions : name] = value;
    }
    const { encoding_format: format } = request;
    if (format != null && encodings !== undefined && !encodings.includes(format)) delete body['encoding_format'];
    body['model'] = this.upstreamModel;
    // A single text stays a string: some servers respond to a list of one with another shape.
    if (Array.isArray(request.input)) body['input'] = isOneTokenList(request.input) ? request.input : inputs;
    return { path: '/embeddings', body };
  }

  read({ text }: EmbeddingResponse, request: EmbeddingRequest, inputs: readonly EmbeddingInput[]): EmbeddingPart {
    const body = parseObject(text);
    const { data } = body;
    if (!Array.isArray(data)) throw badEmbeddings('no list');
    if (data.length !== inputs.length) throw badEmbeddings(`${data.length} vectors for ${inputs.length} inputs`);
    const { entries, isOrdered } = inOrder(data);
    const isTyped = TYPE_MEMBERS.some((name) => request[name] != null);
    const given = entries.map(({ embedding }) => vectorOf(embedding));
    const vectors = isTyped ? given : given.map((vector) => encodeVector(vector, request));
    const model = nonEmptyString(body['model']);
    const tokens = tokensOf(body['usage']);
    const isWhole = isOrdered && model !== undefined && tokens !== undefined && body['object'] === 'list';
    const isUnchanged = isWhole && vectors.every((vector, index) => vector === given[index]);
    return { vectors, tokens, model, ...(isUnchanged && { body: text }) };
  }

  private takes(name: string): boolean {
    const { accepts } = this.rules;
    return (
      accepts === undefined ||
      accepts.includes(name) ||
      OWN_MEMBERS.has(name) ||
      ['model', 'input', 'encoding_format', 'dimensions'].includes(name)
    );
  }
}

function isOneTokenList(input: readonly unknown[]): boolean {
  return typeof input[0] === 'number';
}

/** Entries by their index, where each has one of its own; as they came otherwise. */
function inOrder(data: readonly unknown[]): { entries: JsonObject[]; isOrdered: boolean } {
  const entries = data.filter(isObject);
  if (entries.length !== data.length) throw badEmbeddings('something that is no vector');
  const sorted: JsonObject[] = [];
  let isOrdered = true;
  for (const [position, entry] of entries.entries()) {
    const { index } = entry;
    if (index !== position) isOrdered = false;
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= entries.length) continue;
    sorted[index] = entry;
  }
  const isComplete = Object.keys(sorted).length === entries.length;
  return { entries: isComplete ? sorted : entries, isOrdered };
}

function vectorOf(value: unknown): EmbeddingVector {
  if (typeof value === 'string' && value !== '') return value;
  return readNumbers(value);
}

/** Servers name the tokens of the input, of all, or both. */
function tokensOf(usage: unknown): TokenCount | undefined {
  if (!isObject(usage)) return undefined;
  return readTokenCount(usage['prompt_tokens']) ?? readTokenCount(usage['total_tokens']);
}
