import { overflowCounts } from '../errors/context-overflow.js';

/**
 * An overflow in the words of Anthropic's API, which its clients match to shorten a conversation or to ask for less.
 *
 * @param message what the provider said
 */
export function overflowMessage(message: string): string {
  const counts = overflowCounts(message);
  if (counts === undefined) return /prompt is too long/i.test(message) ? message : `prompt is too long: ${message}`;
  const { input, output, limit } = counts;
  if (output !== undefined && input <= limit) {
    return `input length and \`max_tokens\` exceed context limit: ${input} + ${output} > ${limit}, decrease input length or \`max_tokens\` and try again`;
  }
  return `prompt is too long: ${input} tokens > ${limit} maximum`;
}
