import { parentPort } from 'node:worker_threads';
import { encode } from 'gpt-tokenizer/encoding/o200k_base';

/** Characters that are really counted; of a longer text the rest counts at the same rate. */
const COUNTED = 65_536;
/** Characters that are counted at a time: the time for a word grows by the square of its length, and it may be the whole text. */
const PIECE = 1_000;

/** One text to count. */
export interface TokenQuestion {
  readonly id: number;
  readonly text: string;
}

export interface TokenAnswer {
  readonly id: number;
  readonly tokens: number;
}

/** Tokens of a text; where it is cut into pieces, one too many for a cut at most. */
export function count(text: string): number {
  if (text === '') return 0;
  const counted = Math.min(text.length, COUNTED);
  let tokens = 0;
  for (let start = 0; start < counted; start += PIECE) {
    const piece = text.slice(start, Math.min(start + PIECE, counted));
    tokens += encode(piece, { disallowedSpecial: new Set() }).length;
  }
  return Math.ceil((tokens * text.length) / counted);
}

parentPort?.on('message', ({ id, text }: TokenQuestion) => {
  const answer: TokenAnswer = { id, tokens: count(text) };
  parentPort?.postMessage(answer);
});
