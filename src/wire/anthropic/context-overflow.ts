/** The counts of a request that is larger than the model's context window. */
interface Overflow {
  /** Tokens of the prompt. */
  readonly input: number;
  /** Tokens asked for the response; undefined where the prompt alone is too large. */
  readonly output?: number;
  /** Tokens of the context window. */
  readonly limit: number;
}

type Pattern = readonly [text: RegExp, counts: (numbers: readonly number[]) => Overflow];

const N = String.raw`[\s~]*(\d[\d,]*)`;
/** What providers say, in the order of likeness; each with its counts by their place in the text. */
const PATTERNS: readonly Pattern[] = [
  // Anthropic itself, and gateways before it.
  [new RegExp(`prompt is too long:?${N} tokens? >${N}`, 'i'), ([input = 0, limit = 0]) => ({ input, limit })],
  [
    new RegExp(`input length and .?max_tokens.? exceed context limit:${N} \\+${N} >${N}`, 'i'),
    ([input = 0, output = 0, limit = 0]) => ({ input, output, limit }),
  ],
  // OpenAI and vLLM: "maximum context length is L tokens. However, you requested T tokens (I in the messages, O in the completion)".
  [
    new RegExp(
      `maximum context length is${N} tokens.*?requested${N} tokens \\(${N} .{0,40}?(?:messages|prompt|input)\\D{0,40}?${N} .{0,40}?completion`,
      'is',
    ),
    ([limit = 0, , input = 0, output = 0]) => ({ input, output, limit }),
  ],
  // OpenAI: "maximum context length is L tokens. However, your messages resulted in I tokens".
  [
    new RegExp(
      `maximum context length is${N} tokens.*?(?:resulted in|contains?(?: at least)?|has|requested)${N} (?:input )?tokens`,
      'is',
    ),
    ([limit = 0, input = 0]) => ({ input, limit }),
  ],
  // vLLM: "You passed I input tokens and requested O output tokens. However, the model's context length is only L tokens".
  [
    new RegExp(`passed${N} input tokens and requested${N} output tokens.*?context length is(?: only)?${N}`, 'is'),
    ([input = 0, output = 0, limit = 0]) => ({ input, output, limit }),
  ],
  // vLLM: "'max_tokens' ... is too large: O. This model's maximum context length is L tokens and your request has I input tokens".
  [
    new RegExp(`too large:${N}\\..*?maximum context length is${N} tokens.*?has${N} input tokens`, 'is'),
    ([output = 0, limit = 0, input = 0]) => ({ input, output, limit }),
  ],
  // vLLM: "The decoder prompt (length I) is longer than the maximum model length of L".
  [
    new RegExp(`prompt \\((?:total )?length${N}\\) is longer than the maximum model length of${N}`, 'i'),
    ([input = 0, limit = 0]) => ({ input, limit }),
  ],
  // llama.cpp: "request (I tokens) exceeds the available context size (L tokens)".
  [
    new RegExp(`request \\(${N} tokens\\) exceeds the available context size \\(${N}`, 'i'),
    ([input = 0, limit = 0]) => ({ input, limit }),
  ],
  // Gemini: "The input token count (I) exceeds the maximum number of tokens allowed (L)".
  [
    new RegExp(`input token count \\(?${N}\\)? exceeds the maximum number of tokens allowed \\(?${N}`, 'i'),
    ([input = 0, limit = 0]) => ({ input, limit }),
  ],
  // Mistral: "Prompt contains I tokens ... too large for model with L maximum context length".
  [
    new RegExp(`prompt contains${N} tokens.*?too large for model with${N} maximum context length`, 'is'),
    ([input = 0, limit = 0]) => ({ input, limit }),
  ],
];
/** Messages of providers are cut before they are searched. */
const MAX_LENGTH = 4000;

/**
 * An overflow in the words of Anthropic's API, which its clients match to shorten a conversation or to ask for less.
 *
 * @param message what the provider said
 */
export function overflowMessage(message: string): string {
  const text = message.slice(0, MAX_LENGTH);
  for (const [pattern, counts] of PATTERNS) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const { input, output, limit } = counts(match.slice(1).map((digits) => Number(digits.replaceAll(',', ''))));
    if (output !== undefined && input <= limit) {
      return `input length and \`max_tokens\` exceed context limit: ${input} + ${output} > ${limit}, decrease input length or \`max_tokens\` and try again`;
    }
    return `prompt is too long: ${input} tokens > ${limit} maximum`;
  }
  return /prompt is too long/i.test(text) ? message : `prompt is too long: ${message}`;
}
