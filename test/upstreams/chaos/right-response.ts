import { seededRandom } from '../../fixtures/disruptions.js';
import { TOOL_NAMES } from '../../clients/wire-clients/wire-client.js';
import type { ModelResponse } from '../native-formats/wire-format.js';

/** What a request asks for: text, or a call of a tool. */
export type ResponseKind = 'text' | 'tool';

/** Which request a provider received, as its prompt says. */
export interface PromptedRequest {
  readonly id: number;
  readonly kind: ResponseKind;
}

const SHORTEST_WORDS = 12;
const LONGEST_WORDS = 48;
/** Pieces that formats must escape, that are several bytes, or that look like framing. */
const UNUSUAL = [' é', ' 日本', ' 😀', '\n\n', ' "q"', ' \\n', ' data:', ' a\tb', ' <x>', '.'];
const UNUSUAL_SHARE = 0.15;
const PROMPT = /chaos-(\d+)-(text|tool)/;

/** The prompt of a request. */
export function promptOf({ id, kind }: PromptedRequest): string {
  return `chaos-${id}-${kind}: the response depends on this number alone.`;
}

/** @returns undefined where a body has no prompt of this run */
export function promptedRequest(body: string): PromptedRequest | undefined {
  const match = PROMPT.exec(body);
  return match === null ? undefined : { id: Number(match[1]), kind: match[2] as ResponseKind };
}

/** The only response that is right for a request: any deployment gives it, and each of its pieces is a token. */
export function rightResponse({ id, kind }: PromptedRequest): ModelResponse {
  const random = seededRandom(id * 7_919 + 13);
  const prompt = 10 + Math.floor(random() * 20);
  const usage = { prompt, cached: 0, reasoning: 0 };
  if (kind === 'tool') {
    const name = TOOL_NAMES[id % TOOL_NAMES.length] ?? TOOL_NAMES[0];
    const input = { city: `${wordOf(random)} ${wordOf(random)} é` };
    const toolCalls = [{ id: `call_${id}`, name, input }];
    return { words: [], reasoning: [], toolCalls, usage: { ...usage, completion: 4 } };
  }
  const count = SHORTEST_WORDS + Math.floor(random() * (LONGEST_WORDS - SHORTEST_WORDS));
  const words: string[] = [];
  while (words.length < count) {
    const isUnusual = words.length > 0 && random() < UNUSUAL_SHARE;
    const unusual = UNUSUAL[Math.floor(random() * UNUSUAL.length)] ?? '.';
    words.push(isUnusual ? unusual : `${words.length === 0 ? '' : ' '}${wordOf(random)}`);
  }
  // Ends with a word, so that no format trims it.
  words.push(` end${id}`);
  return { words, reasoning: [], toolCalls: [], usage: { ...usage, completion: words.length } };
}

/** The text of a response; of a call of a tool the arguments. */
export function textOf({ words, toolCalls }: ModelResponse): string {
  return toolCalls.length > 0 ? toolCalls.map(({ input }) => JSON.stringify(input)).join('') : words.join('');
}

function wordOf(random: () => number): string {
  return Array.from({ length: 3 }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join('');
}
