import { billedTokens, type BilledUsage } from '../operations/billed-tokens.js';
import { imageTokens } from '../operations/images/image-estimate.js';
import { boundTokens, NO_TOKENS } from '../runtime/token-count.js';

/**
 * A usage with the tokens that a price needs. A provider that reports none for its images is charged for as many as OpenAI's
 * models have for such images. Undefined if there are none, and they cannot be determined.
 */
export function withImageTokens(usage: BilledUsage): BilledUsage | undefined {
  const { units, imageKind } = usage;
  if (usage.totalTokens > 0 || units === undefined) return usage;
  if (units.images === undefined) return undefined;
  const imageOutput = boundTokens(units.images * imageTokens(imageKind?.size, imageKind?.quality));
  return {
    ...usage,
    ...billedTokens(NO_TOKENS, imageOutput),
    modalities: { imageInput: NO_TOKENS, audioInput: NO_TOKENS, imageOutput, audioOutput: NO_TOKENS },
  };
}
