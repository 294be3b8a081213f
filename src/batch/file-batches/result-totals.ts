import { nonEmptyString, objectOf } from '../../runtime/json-value.js';

/** Different errors that are counted; further ones are left out. */
const MAX_ERRORS = 1_000;
const MAX_MESSAGE_CHARACTERS = 500;

/** The tokens of all responses of a batch, in the form of OpenAI's Responses API. */
export interface BatchUsage {
  readonly input_tokens: number;
  readonly input_tokens_details: { readonly cached_tokens: number };
  readonly output_tokens: number;
  readonly output_tokens_details: { readonly reasoning_tokens: number };
  readonly total_tokens: number;
}

/** The error that the most requests of a batch failed with. */
export interface TopError {
  readonly code: string | null;
  readonly message: string;
  /** Requests that failed with it. */
  readonly count: number;
}

/** Sums up the results of a batch one by one. */
export class ResultTotals {
  private input = 0;
  private cached = 0;
  private output = 0;
  private reasoning = 0;
  private readonly errors = new Map<string, { code: string | null; message: string; count: number }>();

  /** @param text JSON of the member `usage` of a response, in the form of any endpoint */
  addUsage(text: string): void {
    const usage = objectOf(JSON.parse(text));
    const inputDetails = objectOf(usage['prompt_tokens_details'] ?? usage['input_tokens_details']);
    const outputDetails = objectOf(usage['completion_tokens_details'] ?? usage['output_tokens_details']);
    this.input += countOf(usage['prompt_tokens'] ?? usage['input_tokens']);
    this.output += countOf(usage['completion_tokens'] ?? usage['output_tokens']);
    this.cached += countOf(inputDetails['cached_tokens'] ?? usage['cache_read_input_tokens']);
    this.reasoning += countOf(outputDetails['reasoning_tokens']);
  }

  /** @param text JSON of the error of a request, as its endpoint writes it */
  addError(text: string): void {
    const error = objectOf(JSON.parse(text));
    const code = nonEmptyString(error['code']) ?? nonEmptyString(error['type']) ?? null;
    const message = (nonEmptyString(error['message']) ?? 'The request failed.').slice(0, MAX_MESSAGE_CHARACTERS);
    const key = `${code ?? ''} ${message}`;
    const known = this.errors.get(key);
    if (known !== undefined) known.count += 1;
    else if (this.errors.size < MAX_ERRORS) this.errors.set(key, { code, message, count: 1 });
  }

  get usage(): BatchUsage {
    const { input, cached, output, reasoning } = this;
    return {
      input_tokens: input,
      input_tokens_details: { cached_tokens: cached },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: reasoning },
      total_tokens: input + output,
    };
  }

  get topError(): TopError | null {
    let top: TopError | null = null;
    for (const error of this.errors.values()) if (top === null || error.count > top.count) top = error;
    return top;
  }
}

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.round(value) : 0;
}
