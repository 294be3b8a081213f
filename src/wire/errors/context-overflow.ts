/** Requests that are larger than the model's context window: what providers say of them, and how clients know them. */

/** The counts of a request that is larger than the model's context window. */
export interface Overflow {
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
  // xAI: "This model's maximum prompt length is L but the request contains I tokens".
  [
    new RegExp(`maximum prompt length is${N} but the request contains${N} tokens`, 'i'),
    ([limit = 0, input = 0]) => ({ input, limit }),
  ],
];
/** Messages of providers are cut before they are searched. */
const MAX_CHARACTERS = 4000;

/**
 * @param message what the provider said
 * @returns undefined where it gives no counts
 */
export function overflowCounts(message: string): Overflow | undefined {
  const text = message.slice(0, MAX_CHARACTERS);
  for (const [pattern, counts] of PATTERNS) {
    const match = pattern.exec(text);
    if (match !== null) return counts(match.slice(1).map((digits) => Number(digits.replaceAll(',', ''))));
  }
  return undefined;
}

/** Where only one of the counts is in a text, or both in words of no known provider. */
const INPUTS = [
  /(?:resulted in|requested|has|count of|prompt is too long:|\()\s*([\d,]{2,})\s*(?:input |prompt )?tokens?/i,
  /([\d,]{2,})\s*(?:input |prompt )?tokens?\s*>/i,
];
const LIMITS = [
  /(?:maximum(?: context length)?(?: is| of|:)|limit(?: is| of|:)|allowed \(|context (?:size|window|length) \()\s*([\d,]{3,})/i,
  />\s*([\d,]{3,})/,
];

function countIn(message: string, patterns: readonly RegExp[]): number | undefined {
  const text = message.slice(0, MAX_CHARACTERS);
  const digits = patterns.map((pattern) => pattern.exec(text)?.[1]).find((each) => each !== undefined);
  return digits === undefined ? undefined : Number(digits.replaceAll(',', ''));
}

/**
 * An overflow in the words of Anthropic's API, which its clients match to shorten a conversation or to ask for less.
 *
 * @param message what the provider said
 */
export function anthropicOverflowMessage(message: string): string {
  const counts = overflowCounts(message);
  if (counts === undefined) return /prompt is too long/i.test(message) ? message : `prompt is too long: ${message}`;
  const { input, output, limit } = counts;
  if (output !== undefined && input <= limit) {
    return `input length and \`max_tokens\` exceed context limit: ${input} + ${output} > ${limit}, decrease input length or \`max_tokens\` and try again`;
  }
  return `prompt is too long: ${input} tokens > ${limit} maximum`;
}

/**
 * An overflow in the words of Google's API, by which its clients know a full context, with the provider's own behind them.
 *
 * @param message what the provider said
 */
export function googleOverflowMessage(message: string): string {
  if (/input token count/i.test(message)) return message;
  const counts = overflowCounts(message);
  const input = counts === undefined ? countIn(message, INPUTS) : counts.input + (counts.output ?? 0);
  const limit = counts === undefined ? countIn(message, LIMITS) : counts.limit;
  const ofInput = input === undefined ? '' : ` (${input})`;
  const ofLimit = limit === undefined ? '' : ` (${limit})`;
  return `The input token count${ofInput} exceeds the maximum number of tokens allowed${ofLimit}. ${message}`;
}

/**
 * An overflow in OpenAI's words, by which clients of OpenAI's formats know it, with the provider's own behind them.
 *
 * @param message what the provider said
 */
export function openAiOverflowMessage(message: string): string {
  if (/maximum context length is/i.test(message)) return message;
  const counts = overflowCounts(message);
  if (counts === undefined) {
    return `The request exceeds the model's maximum context length. Please reduce the length of the messages. The provider says: ${message}`;
  }
  const { input, output, limit } = counts;
  const used =
    output === undefined
      ? `your messages resulted in ${input} tokens. Please reduce the length of the messages.`
      : `you requested ${input + output} tokens (${input} in the messages, ${output} in the completion). Please reduce the length of the messages or completion.`;
  return `This model's maximum context length is ${limit} tokens. However, ${used} The provider says: ${message}`;
}
