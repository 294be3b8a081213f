import { readTokenCount } from '../../runtime/token-count.js';
import { isObject } from '../../runtime/json-value.js';
import type { EmbeddingInput, EmbeddingRequest } from '../../operations/embeddings/embedding-request.js';
import type { EmbeddingPart } from '../../operations/embeddings/embedding-result.js';
import type { EmbeddingResponse, EmbeddingWire, WrittenCall } from './embedding-wire.js';
import { parseObject } from './parse-object.js';
import { badEmbeddings, encodeVector, readVectors } from './read-vectors.js';
import { assertFloats, defined, googleTaskType, member, modelSegment, textsOf, unreadMembers } from './write-inputs.js';

const READ = ['dimensions', 'input_type', 'task_type', 'taskType', 'title'];

/** `models/{model}:batchEmbedContents` of the Gemini API, which takes one text as well as a hundred. */
export class GeminiEmbeddings implements EmbeddingWire {
  readonly maxInputs = 100;

  constructor(private readonly upstreamModel: string) {}

  dropped(request: EmbeddingRequest): string[] {
    return unreadMembers(request, READ);
  }

  write(request: EmbeddingRequest, inputs: readonly EmbeddingInput[], first: number): WrittenCall {
    assertFloats(request);
    const model = `models/${this.upstreamModel.replace(/^models\//, '')}`;
    const options = defined({
      taskType: googleTaskType(request),
      title: member(request, 'title'),
      outputDimensionality: member(request, 'dimensions'),
    });
    return {
      path: `/models/${modelSegment(this.upstreamModel)}:batchEmbedContents`,
      body: {
        requests: textsOf(inputs, first, request).map((text) => ({
          model,
          content: { parts: [{ text }] },
          ...options,
        })),
      },
    };
  }

  read({ text }: EmbeddingResponse, request: EmbeddingRequest, inputs: readonly EmbeddingInput[]): EmbeddingPart {
    const { embeddings, usageMetadata: usage } = parseObject(text);
    if (!Array.isArray(embeddings)) throw badEmbeddings('no list');
    const values = (embeddings as readonly unknown[]).map((each) => (isObject(each) ? each['values'] : undefined));
    return {
      vectors: readVectors(values, inputs.length).map((vector) => encodeVector(vector, request)),
      // Models before gemini-embedding-2 report nothing.
      tokens: isObject(usage) ? readTokenCount(usage['promptTokenCount']) : undefined,
      model: undefined,
    };
  }
}
