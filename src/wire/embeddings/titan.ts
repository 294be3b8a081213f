import { readTokenCount } from '../../runtime/token-count.js';
import { invalidRequest } from '../../errors/gateway-error.js';
import type { EmbeddingInput, EmbeddingRequest } from '../../operations/embeddings/embedding-request.js';
import type { EmbeddingPart } from '../../operations/embeddings/embedding-result.js';
import type { EmbeddingResponse, EmbeddingWire, WrittenCall } from './embedding-wire.js';
import { parseObject } from './parse-object.js';
import { countInHeader, encodeVector, readVectors } from './read-vectors.js';
import { assertFloats, defined, member, modelSegment, textsOf, unreadMembers } from './write-inputs.js';

const HAS_OPTIONS = /titan-embed-text-v[2-9]/;
const IS_MULTIMODAL = /titan-embed-image/;

/** Amazon Titan on Bedrock, `POST /model/{model}/invoke`: one text a call. */
export class TitanEmbeddings implements EmbeddingWire {
  readonly maxInputs = 1;
  private readonly version: 'v1' | 'v2' | 'multimodal';

  constructor(private readonly upstreamModel: string) {
    this.version = IS_MULTIMODAL.test(upstreamModel) ? 'multimodal' : HAS_OPTIONS.test(upstreamModel) ? 'v2' : 'v1';
  }

  dropped(request: EmbeddingRequest): string[] {
    return unreadMembers(request, this.version === 'v2' ? ['dimensions', 'normalize'] : ['dimensions']);
  }

  write(request: EmbeddingRequest, inputs: readonly EmbeddingInput[], first: number): WrittenCall {
    assertFloats(request);
    const [inputText] = textsOf(inputs, first, request);
    const dimensions = member(request, 'dimensions');
    if (dimensions !== undefined && this.version === 'v1') {
      // Vectors of another length than asked for would be of no use.
      throw invalidRequest(
        "'dimensions' is not supported by this model, whose vectors have one length. Leave it out.",
        'dimensions',
        'unsupported_parameter',
      );
    }
    const isMultimodal = this.version === 'multimodal';
    return {
      path: `/model/${modelSegment(this.upstreamModel)}/invoke`,
      body: defined({
        inputText,
        ...(isMultimodal
          ? { embeddingConfig: dimensions === undefined ? undefined : { outputEmbeddingLength: dimensions } }
          : { dimensions }),
        normalize: this.version === 'v2' ? member(request, 'normalize') : undefined,
      }),
    };
  }

  read(
    { text, headers }: EmbeddingResponse,
    request: EmbeddingRequest,
    inputs: readonly EmbeddingInput[],
  ): EmbeddingPart {
    const { embedding, inputTextTokenCount: tokens } = parseObject(text);
    return {
      vectors: readVectors([embedding], inputs.length).map((vector) => encodeVector(vector, request)),
      tokens: readTokenCount(tokens) ?? countInHeader(headers['x-amzn-bedrock-input-token-count']),
      model: undefined,
    };
  }
}
