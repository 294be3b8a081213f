import { boundTokens, NO_TOKENS, type TokenCount } from '../../runtime/token-count.js';
import { billedTokens, type BilledUsage } from '../billed-tokens.js';
import type { Estimate } from '../operation.js';
import { estimateTokens } from '../text-tokens.js';
import type { TranscriptionRequest } from './transcription-request.js';

/** Tokens of a second of a recording: OpenAI's models have one in 100 ms. */
const INPUT_TOKENS_PER_SECOND = 10;
/** Tokens of the text of a second: usual, and most. */
const LIKELY_OUTPUT_TOKENS_PER_SECOND = 4;
const MAX_OUTPUT_TOKENS_PER_SECOND = 10;

type Sized = Pick<TranscriptionRequest, 'prompt' | 'duration'>;

/** The estimated size of a transcription request. */
export class TranscriptionEstimate implements Estimate {
  constructor(private readonly request: Sized) {}

  likelyTokens(): TokenCount {
    return this.likely().totalTokens;
  }

  /** The estimated units of a response without reported usage. */
  likely(): BilledUsage {
    const { prompt = '', duration } = this.request;
    return usageOf(estimateTokens([prompt]).likely, duration.likelySeconds, LIKELY_OUTPUT_TOKENS_PER_SECOND);
  }

  most(): BilledUsage {
    const { prompt = '', duration } = this.request;
    return usageOf(estimateTokens([prompt]).most, duration.mostSeconds, MAX_OUTPUT_TOKENS_PER_SECOND);
  }
}

function usageOf(promptTokens: number, seconds: number, outputTokensPerSecond: number): BilledUsage {
  const audioInput = boundTokens(seconds * INPUT_TOKENS_PER_SECOND);
  return {
    ...billedTokens(boundTokens(audioInput + promptTokens), boundTokens(seconds * outputTokensPerSecond)),
    units: { audioSeconds: seconds },
    modalities: { imageInput: NO_TOKENS, audioInput, imageOutput: NO_TOKENS, audioOutput: NO_TOKENS },
  };
}
