import { boundTokens, readTokenCount } from '../../runtime/token-count.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import type { EmbeddingInput, EmbeddingRequest } from '../../operations/embeddings/embedding-request.js';
import type { EmbeddingPart } from '../../operations/embeddings/embedding-result.js';
import type { EmbeddingResponse, EmbeddingWire, WrittenCall } from './embedding-wire.js';
import { parseObject } from './parse-object.js';
import { badEmbeddings, encodeVector, readVectors } from './read-vectors.js';
import { assertFloats, defined, googleTaskType, member, modelSegment, textsOf, unreadMembers } from './write-inputs.js';

const READ = ['dimensions', 'input_type', 'task_type', 'taskType', 'title', 'auto_truncate', 'autoTruncate'];
/** Models that take one text a call. */
const ONE_AT_A_TIME = /^gemini-embedding-/;
/** Models that are called as on the Gemini API, not as a prediction. */
const EMBEDS_CONTENT = /^gemini-embedding-[2-9]/;

/** Vertex AI: `{model}:predict` with instances, or `{model}:embedContent` for gemini-embedding-2 and later. */
export class VertexEmbeddings implements EmbeddingWire {
  readonly maxInputs: number;
  /** Google allows 20,000; the estimate may be too low by a half. */
  readonly maxTokens = 12_000;
  private readonly embedsContent: boolean;

  constructor(private readonly upstreamModel: string) {
    this.maxInputs = ONE_AT_A_TIME.test(upstreamModel) ? 1 : 250;
    this.embedsContent = EMBEDS_CONTENT.test(upstreamModel);
  }

  dropped(request: EmbeddingRequest): string[] {
    return unreadMembers(request, READ);
  }

  write(request: EmbeddingRequest, inputs: readonly EmbeddingInput[], first: number): WrittenCall {
    assertFloats(request);
    const texts = textsOf(inputs, first, request);
    const taskType = googleTaskType(request);
    const title = member(request, 'title');
    const parameters = defined({
      outputDimensionality: member(request, 'dimensions'),
      autoTruncate: member(request, 'auto_truncate', 'autoTruncate'),
    });
    const model = `/models/${modelSegment(this.upstreamModel)}`;
    if (this.embedsContent) {
      const [text = ''] = texts;
      const config = defined({ taskType, title, ...parameters });
      return {
        path: `${model}:embedContent`,
        body: { content: { parts: [{ text }] }, ...(Object.keys(config).length > 0 && { embedContentConfig: config }) },
      };
    }
    const instances = texts.map((content) => defined({ content, task_type: taskType, title }));
    return {
      path: `${model}:predict`,
      body: { instances, ...(Object.keys(parameters).length > 0 && { parameters }) },
    };
  }

  read({ text }: EmbeddingResponse, request: EmbeddingRequest, inputs: readonly EmbeddingInput[]): EmbeddingPart {
    const body = parseObject(text);
    const { values, tokens } = this.embedsContent ? contentOf(body) : predictionsOf(body);
    const vectors = readVectors(values, inputs.length).map((vector) => encodeVector(vector, request));
    return { vectors, tokens: tokens === undefined ? undefined : boundTokens(tokens), model: undefined };
  }
}

interface VertexEmbedding {
  readonly values: readonly unknown[];
  readonly tokens: number | undefined;
}

function contentOf({ embedding, usageMetadata: usage }: JsonObject): VertexEmbedding {
  return {
    values: [isObject(embedding) ? embedding['values'] : undefined],
    tokens: isObject(usage) ? readTokenCount(usage['promptTokenCount']) : undefined,
  };
}

function predictionsOf({ predictions }: JsonObject): VertexEmbedding {
  if (!Array.isArray(predictions)) throw badEmbeddings('no list');
  let tokens: number | undefined = 0;
  const values = (predictions as readonly unknown[]).map((prediction) => {
    const embeddings = isObject(prediction) && isObject(prediction['embeddings']) ? prediction['embeddings'] : {};
    const { statistics } = embeddings;
    const count = isObject(statistics) ? readTokenCount(statistics['token_count']) : undefined;
    tokens = tokens === undefined || count === undefined ? undefined : tokens + count;
    return embeddings['values'];
  });
  return { values, tokens };
}
