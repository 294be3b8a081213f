import { BYTES_PER_TOKEN } from '../operations/text-tokens.js';
import type { WriteContext } from '../wire/wire-format.js';

/**
 * The context of a response. The prompt is measured when its estimate is asked for first, which a provider that reports usage, or
 * that speaks the client's format, does not need.
 *
 * @param promptBytes measures the prompt
 */
export function writeContextOf(
  context: Omit<WriteContext, 'now' | 'includesUsage' | 'estimatedInputTokens'>,
  promptBytes: () => number,
): WriteContext {
  let estimate: number | undefined;
  return {
    ...context,
    now: Date.now(),
    includesUsage: true,
    get estimatedInputTokens(): number {
      estimate ??= Math.ceil(promptBytes() / BYTES_PER_TOKEN);
      return estimate;
    },
  };
}
