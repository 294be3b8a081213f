import { parentPort } from 'node:worker_threads';
import { encode } from 'gpt-tokenizer/encoding/o200k_base';

/** Characters that are really counted; the rest of longer texts counts at the same rate. */
const COUNTED_CHARACTERS = 65_536;
/** Characters that are counted at a time: the time for a word grows by the square of its length, and it may be the whole text. */
const PIECE_CHARACTERS = 1_000;

/** Texts to count, each separately. */
export interface TokenTask {
  readonly id: number;
  readonly texts: readonly string[];
}

/** The token count of one task. */
export interface TokenResult {
  readonly id: number;
  readonly tokens: number;
}

/** Tokens of texts; where one is cut within a word, one too many for a cut at most. */
export function count(texts: readonly string[]): number {
  let tokens = 0;
  let counted = 0;
  let length = 0;
  for (const text of texts) {
    const kept = text.slice(0, COUNTED_CHARACTERS - counted);
    for (let start = 0; start < kept.length;) {
      const end = endOfPiece(kept, start);
      tokens += encode(kept.slice(start, end), { disallowedSpecial: new Set() }).length;
      start = end;
    }
    counted += kept.length;
    length += text.length;
  }
  return counted === 0 ? 0 : Math.ceil((tokens * length) / counted);
}

/** Splits before a space if there is one, because a space begins a token. */
function endOfPiece(text: string, start: number): number {
  if (text.length - start <= PIECE_CHARACTERS) return text.length;
  const space = text.lastIndexOf(' ', start + PIECE_CHARACTERS);
  return space > start ? space : start + PIECE_CHARACTERS;
}

parentPort?.on('message', ({ id, texts }: TokenTask) => {
  const response: TokenResult = { id, tokens: count(texts) };
  parentPort?.postMessage(response);
});
