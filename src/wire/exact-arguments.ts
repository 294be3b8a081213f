import { parseExactWithin } from '../runtime/exact-integers.js';

/** Where Anthropic, Bedrock and Gemini have the arguments of a tool call as an object. */
const TOOL_ARGUMENTS: ReadonlySet<string> = new Set(['input', 'args']);

/**
 * Parses a response. Integers beyond 2^53 keep their digits within the arguments of tool calls, which are printed again; anywhere
 * else they are numbers, so that none is taken for a text.
 *
 * @throws SyntaxError
 */
export function parseWithExactArguments(json: string): unknown {
  return parseExactWithin(json, TOOL_ARGUMENTS);
}
