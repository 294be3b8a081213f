/** Bytes of text that make a token, on average; for what is likely, not for what is certain. */
export const BYTES_PER_TOKEN = 4;
/** Characters of text that make a token, on average, where they cannot be counted or counting takes too long. */
export const CHARACTERS_PER_TOKEN = 4;

/** Tokens of input, before a provider has counted them. */
export interface InputTokens {
  /** The likely number: reserved of tokens a minute, and corrected when the call has ended. */
  readonly likely: number;
  /** The upper bound, because a token is at least one byte of text. Budgets reserve it. */
  readonly most: number;
}

/** Estimates the tokens of texts that stand each by itself; tokens that are given as numbers are counted. */
export function estimateTokens(inputs: Iterable<string | readonly number[]>): InputTokens {
  let likely = 0;
  let most = 0;
  for (const input of inputs) {
    const isText = typeof input === 'string';
    const size = isText ? Buffer.byteLength(input) : input.length;
    likely += isText ? Math.ceil(size / BYTES_PER_TOKEN) : size;
    most += size;
  }
  return { likely, most };
}
