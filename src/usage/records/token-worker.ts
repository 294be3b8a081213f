import { parentPort } from 'node:worker_threads';
import { encode } from 'gpt-tokenizer/encoding/o200k_base';

/** Characters that are really counted; the rest of longer texts counts at the same rate. */
const COUNTED = 65_536;

/** Texts to count, each by itself. */
export interface TokenQuestion {
  readonly id: number;
  readonly texts: readonly string[];
}

export interface TokenAnswer {
  readonly id: number;
  readonly tokens: number;
}

function count(texts: readonly string[]): number {
  let tokens = 0;
  let counted = 0;
  let length = 0;
  for (const text of texts) {
    const piece = text.slice(0, COUNTED - counted);
    if (piece !== '') tokens += encode(piece, { disallowedSpecial: new Set() }).length;
    counted += piece.length;
    length += text.length;
  }
  return counted === 0 ? 0 : Math.ceil((tokens * length) / counted);
}

parentPort?.on('message', ({ id, texts }: TokenQuestion) => {
  const answer: TokenAnswer = { id, tokens: count(texts) };
  parentPort?.postMessage(answer);
});
