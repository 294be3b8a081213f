import { boundTokens, type TokenCount } from '../../runtime/token-count.js';
import { billedTokens, type BilledUsage } from '../billed-tokens.js';
import type { Estimate } from '../operation.js';
import { estimateTokens } from '../text-tokens.js';
import type { ImageRequest } from './image-request.js';

/** Pixels of the square that the tokens of OpenAI's image models are given for. */
const SQUARE_PIXELS = 1_024 * 1_024;
/** Tokens of such a square by quality. */
const SQUARE_TOKENS = new Map([
  ['low', 272],
  ['medium', 1_056],
  ['standard', 1_056],
  ['high', 4_160],
]);
/** Tokens of an image whose quality is left to the model. */
const MAX_TOKENS = 4_160;
/** The largest of the sizes that a model chooses from by itself. */
const AUTO_PIXELS = 1_024 * 1_536;
/** Tokens of each preview in a stream. */
const PARTIAL_IMAGE_TOKENS = 100;
/** The most that one image of the input is known to cost, at high fidelity. */
const INPUT_IMAGE_TOKENS = 8_000;

/** Tokens of one image of OpenAI's models. */
export function imageTokens(size: string | undefined, quality: string | undefined): number {
  const [, width, height] = /^(\d{1,5})x(\d{1,5})$/.exec(size ?? '') ?? [];
  const pixels = width === undefined || height === undefined ? AUTO_PIXELS : Number(width) * Number(height);
  return Math.ceil(((SQUARE_TOKENS.get(quality ?? '') ?? MAX_TOKENS) * pixels) / SQUARE_PIXELS);
}

/** The maximum size of an image request. */
export class ImageEstimate implements Estimate {
  constructor(private readonly request: ImageRequest) {}

  likelyTokens(): TokenCount {
    return boundTokens(estimateTokens([this.request.prompt]).likely + this.outputTokens());
  }

  most(): BilledUsage {
    const { prompt, n, size, quality, inputImages } = this.request;
    const imageInput = boundTokens(inputImages * INPUT_IMAGE_TOKENS);
    const tokens = billedTokens(
      boundTokens(estimateTokens([prompt]).most + imageInput),
      boundTokens(this.outputTokens()),
    );
    return {
      ...tokens,
      units: { images: n },
      imageKind: { size, quality },
      modalities: {
        imageInput,
        audioInput: boundTokens(0),
        imageOutput: tokens.completionTokens,
        audioOutput: boundTokens(0),
      },
    };
  }

  private outputTokens(): number {
    const { n, size, quality, stream, partialImages } = this.request;
    return n * (imageTokens(size, quality) + (stream ? partialImages * PARTIAL_IMAGE_TOKENS : 0));
  }
}
