import { invalidRequest } from '../errors/gateway-error.js';
import { MAX_EMBEDDING_INPUTS, type EmbeddingRequest } from '../operations/embeddings/embedding-request.js';
import type { EmbeddingResult } from '../operations/embeddings/embedding-result.js';
import { fromBase64 } from '../operations/embeddings/float-bytes.js';
import { isObject, type JsonObject } from '../runtime/json-value.js';
import { find, listOf, numberOf, objectOf, stringOf, wrongType, type Found } from '../wire/gemini/spelling.js';
import { geminiBody } from './gemini-body.js';

/** More than any model's vectors have. */
const MAX_DIMENSIONS = 65_536;
/** Google's tasks in Cohere's words, which the gateway has for all providers. */
const INPUT_TYPES: Readonly<Record<string, string>> = {
  RETRIEVAL_QUERY: 'search_query',
  RETRIEVAL_DOCUMENT: 'search_document',
  CLASSIFICATION: 'classification',
  CLUSTERING: 'clustering',
};

/** `embedContent`. @throws GatewayError 400 that names the field */
export function readEmbedRequest(body: unknown, model: string): EmbeddingRequest {
  const fields = geminiBody(body);
  return { model, input: [textOf(find(fields, 'content'))], ...optionsOf(fields, '') };
}

/** `batchEmbedContents`, whose requests must ask for the same. @throws GatewayError 400 that names the field */
export function readBatchEmbedRequest(body: unknown, model: string): EmbeddingRequest {
  const found = find(geminiBody(body), 'requests');
  const requests = listOf(found, 'an array of requests with content');
  const [first] = requests;
  if (first === undefined) {
    throw invalidRequest("'requests' must have at least one request with content.", 'requests', 'empty_array');
  }
  if (requests.length > MAX_EMBEDDING_INPUTS) {
    throw invalidRequest(
      `'requests' has ${requests.length} items, and at most ${MAX_EMBEDDING_INPUTS} can be sent at once.`,
      'requests',
      'array_above_max_length',
    );
  }
  const read = requests.map((value, index) => {
    const path = `${found.path}[${index}]`;
    if (!isObject(value)) throw wrongType(path, 'an object with content', value);
    return { text: textOf(find(value, 'content', path)), options: optionsOf(value, path) };
  });
  const options = read[0]?.options ?? {};
  const at = read.findIndex((each) => JSON.stringify(each.options) !== JSON.stringify(options));
  if (at !== -1) {
    throw invalidRequest(
      `'${found.path}[${at}]' has another taskType, title or outputDimensionality than the first. Send them apart.`,
      `${found.path}[${at}]`,
    );
  }
  return { model, input: read.map(({ text }) => text), ...options };
}

function textOf(found: Found): string {
  if (typeof found.value === 'string') return found.value;
  const content = objectOf(found);
  if (content !== undefined) stringOf(find(content, 'role', found.path));
  const parts = content === undefined ? undefined : find(content, 'parts', found.path);
  const texts = (parts === undefined ? [] : listOf(parts, 'an array of parts')).map((part, index) => {
    const path = `${parts?.path ?? found.path}[${index}]`;
    const text = isObject(part) ? stringOf(find(part, 'text', path)) : undefined;
    if (text !== undefined) return text;
    throw invalidRequest(`'${path}' must be text: nothing else can be embedded here.`, path, 'unsupported_value');
  });
  if (texts.length > 0) return texts.join('\n');
  throw invalidRequest(
    `'${found.path}' must be content such as {"parts": [{"text": "Hello"}]}.`,
    found.path,
    'missing_required_parameter',
  );
}

function optionsOf(fields: JsonObject, path: string): JsonObject {
  const dimensions = dimensionsOf(find(fields, 'outputDimensionality', path));
  const task = stringOf(find(fields, 'taskType', path))?.toUpperCase();
  const title = stringOf(find(fields, 'title', path));
  const type = task === undefined ? undefined : INPUT_TYPES[task];
  return {
    ...(dimensions !== undefined && { dimensions }),
    ...(type !== undefined && { input_type: type }),
    ...(task !== undefined && type === undefined && { task_type: task }),
    ...(title !== undefined && { title }),
  };
}

function dimensionsOf(found: Found): number | undefined {
  const dimensions = numberOf(found);
  if (
    dimensions === undefined ||
    (Number.isSafeInteger(dimensions) && dimensions > 0 && dimensions <= MAX_DIMENSIONS)
  ) {
    return dimensions;
  }
  throw invalidRequest(`'${found.path}' must be a whole number from 1 to ${MAX_DIMENSIONS}.`, found.path);
}

/** Vectors as Gemini gives them. */
export function writeEmbeddings({ vectors, tokens }: EmbeddingResult, isBatch: boolean): JsonObject {
  const embeddings = vectors.map((vector) => ({
    values: typeof vector === 'string' ? (fromBase64(vector) ?? []) : vector,
  }));
  const usage = tokens === undefined ? {} : { usageMetadata: { promptTokenCount: tokens } };
  return isBatch ? { embeddings, ...usage } : { embedding: embeddings[0] ?? { values: [] }, ...usage };
}
