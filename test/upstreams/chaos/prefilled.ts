import type { ModelResponse } from '../native-formats/wire-format.js';

/** Of continued responses, those that repeat the last words first, and those that begin again. */
const REPEATING_SHARE = 0.2;
const RESTARTING_SHARE = 0.1;
/** The last words of a text that stand nowhere else. */
const LAST_WORDS = /(?: [a-z]{3}){3}$/;

/**
 * The response to a request that goes on from a beginning of it, as models give it: the rest, the rest behind a repetition, or all
 * again.
 *
 * @returns undefined where the text is no beginning of the right response
 */
export function restOf(whole: ModelResponse, prefill: string, random: () => number): ModelResponse | undefined {
  const text = whole.words.join('');
  if (whole.toolCalls.length > 0 || !text.startsWith(prefill)) return undefined;
  const way = random();
  if (way < RESTARTING_SHARE) return whole;
  const repeated = way < RESTARTING_SHARE + REPEATING_SHARE ? (LAST_WORDS.exec(prefill)?.[0] ?? '') : '';
  const words = [...(repeated === '' ? [] : [repeated]), ...behind(whole.words, prefill.length)];
  return { ...whole, words, usage: { ...whole.usage, prompt: whole.usage.prompt + 5, completion: words.length } };
}

/** The pieces behind so many characters. */
function behind(words: readonly string[], characters: number): string[] {
  let left = characters;
  const rest: string[] = [];
  for (const word of words) {
    if (left < word.length) rest.push(word.slice(left));
    left = Math.max(0, left - word.length);
  }
  return rest;
}
