import { readTokenCount } from '../../runtime/token-count.js';
import { nonEmptyString } from '../../runtime/json-value.js';
import type { EmbeddingInput, EmbeddingRequest } from '../../operations/embeddings/embedding-request.js';
import type { EmbeddingPart } from '../../operations/embeddings/embedding-result.js';
import type { EmbeddingResponse, EmbeddingWire, WrittenCall } from './embedding-wire.js';
import { parseObject } from './parse-object.js';
import { encodeVector, readVectors } from './read-vectors.js';
import { assertFloats, defined, member, textsOf, unreadMembers } from './write-inputs.js';

const READ = ['dimensions', 'truncate', 'options', 'keep_alive'];

/** Ollama's own `POST /api/embed`, which has options that its OpenAI-compatible route does not have. */
export class OllamaEmbeddings implements EmbeddingWire {
  readonly maxInputs = 2_048;

  constructor(private readonly upstreamModel: string) {}

  dropped(request: EmbeddingRequest): string[] {
    return unreadMembers(request, READ);
  }

  write(request: EmbeddingRequest, inputs: readonly EmbeddingInput[], first: number): WrittenCall {
    assertFloats(request);
    return {
      path: '/api/embed',
      body: defined({
        model: this.upstreamModel,
        input: textsOf(inputs, first, request),
        dimensions: member(request, 'dimensions'),
        truncate: member(request, 'truncate'),
        options: member(request, 'options'),
        keep_alive: member(request, 'keep_alive'),
      }),
    };
  }

  read({ text }: EmbeddingResponse, request: EmbeddingRequest, inputs: readonly EmbeddingInput[]): EmbeddingPart {
    const { embeddings, prompt_eval_count: tokens, model } = parseObject(text);
    return {
      vectors: readVectors(embeddings, inputs.length).map((vector) => encodeVector(vector, request)),
      tokens: readTokenCount(tokens),
      model: nonEmptyString(model),
    };
  }
}
