import { boundTokens, NO_TOKENS, type TokenCount } from '../../runtime/token-count.js';
import { billedTokens, type BilledUsage } from '../billed-tokens.js';
import type { Estimate } from '../operation.js';
import { estimateTokens } from '../text-tokens.js';
import { speechCharacters, type SpeechRequest } from './speech-request.js';

/** Tokens of a second of speech: OpenAI's models have one in 48 ms. */
const TOKENS_PER_SECOND = 21;
/** Characters that are read out in a second at normal speed: usual, and fewest (Chinese). */
const LIKELY_CHARACTERS_PER_SECOND = 15;
const MIN_CHARACTERS_PER_SECOND = 4;
/** Silence before and behind. */
const PAUSE_SECONDS = 2;

/** The estimated size of a speech request. */
export class SpeechEstimate implements Estimate {
  constructor(private readonly request: SpeechRequest) {}

  likelyTokens(): TokenCount {
    return this.likely().totalTokens;
  }

  /** The estimated units of a response without reported usage. */
  likely(): BilledUsage {
    const { input, instructions = '', speed } = this.request;
    const characters = speechCharacters(this.request);
    const seconds = characters / LIKELY_CHARACTERS_PER_SECOND / speed;
    return usageOf(estimateTokens([input, instructions]).likely, seconds, characters);
  }

  most(): BilledUsage {
    const { input, instructions = '', speed } = this.request;
    const characters = speechCharacters(this.request);
    const seconds = characters / MIN_CHARACTERS_PER_SECOND / Math.min(1, speed) + PAUSE_SECONDS;
    return usageOf(estimateTokens([input, instructions]).most, seconds, characters);
  }
}

function usageOf(inputTokens: number, seconds: number, characters: number): BilledUsage {
  const audioOutput = boundTokens(seconds * TOKENS_PER_SECOND);
  return {
    ...billedTokens(boundTokens(inputTokens), audioOutput),
    units: { characters },
    modalities: { imageInput: NO_TOKENS, audioInput: NO_TOKENS, imageOutput: NO_TOKENS, audioOutput },
  };
}
