import { parentPort } from 'node:worker_threads';
import { encode } from 'gpt-tokenizer/encoding/o200k_base';

/** Characters that are really counted; of a longer text the rest counts at the same rate. */
const COUNTED = 65_536;

/** One text to count. */
export interface TokenQuestion {
  readonly id: number;
  readonly text: string;
}

export interface TokenAnswer {
  readonly id: number;
  readonly tokens: number;
}

function count(text: string): number {
  if (text === '') return 0;
  const counted = text.length <= COUNTED ? text : text.slice(0, COUNTED);
  return Math.ceil((encode(counted, { disallowedSpecial: new Set() }).length * text.length) / counted.length);
}

parentPort?.on('message', ({ id, text }: TokenQuestion) => {
  const answer: TokenAnswer = { id, tokens: count(text) };
  parentPort?.postMessage(answer);
});
