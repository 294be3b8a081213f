import fc from 'fast-check';
import {
  anthropicOverflowMessage,
  googleOverflowMessage,
  openAiOverflowMessage,
  overflowCounts,
} from './context-overflow.js';
import { mapErrorResponse } from './map-error.js';

/** What each provider says of a prompt of `input` tokens for a context of `limit`. */
const PROMPT_TOO_LONG: Record<string, (input: number, limit: number) => string> = {
  Anthropic: (input, limit) => `prompt is too long: ${input} tokens > ${limit} maximum`,
  OpenAI: (input, limit) =>
    `This model's maximum context length is ${limit} tokens. However, your messages resulted in ${input} tokens. Please reduce the length of the messages.`,
  Gemini: (input, limit) => `The input token count (${input}) exceeds the maximum number of tokens allowed (${limit}).`,
  'llama.cpp': (input, limit) =>
    `the request (${input} tokens) exceeds the available context size (${limit} tokens), try increasing it`,
  Mistral: (input, limit) =>
    `Prompt contains ${input} tokens, too large for model with ${limit} maximum context length`,
  vLLM: (input, limit) => `The decoder prompt (length ${input}) is longer than the maximum model length of ${limit}.`,
  xAI: (input, limit) => `This model's maximum prompt length is ${limit} but the request contains ${input} tokens.`,
};

/** What each says of a prompt and a limit of the response that do not fit together. */
const RESPONSE_TOO_LONG: Record<string, (input: number, output: number, limit: number) => string> = {
  Anthropic: (input, output, limit) =>
    `input length and \`max_tokens\` exceed context limit: ${input} + ${output} > ${limit}, decrease input length or \`max_tokens\` and try again`,
  vLLM: (input, output, limit) =>
    `This model's maximum context length is ${limit} tokens. However, you requested ${input + output} tokens (${input} in the messages, ${output} in the completion). Please reduce the length of the messages or completion.`,
  'vLLM, newer': (input, output, limit) =>
    `You passed ${input} input tokens and requested ${output} output tokens. However, the model's context length is only ${limit} tokens.`,
};

/** By this the clients of OpenAI's formats know an overflow. */
const CLIENTS_MATCH = /maximum context length is \d+ tokens/;
const tokens = fc.integer({ min: 10, max: 2_000_000 });

describe('a request that is larger than the context window', () => {
  test.each(Object.entries(PROMPT_TOO_LONG))(
    'of %s has its counts and the words that clients match',
    (_name, write) => {
      fc.assert(
        fc.property(tokens, tokens, (input, limit) => {
          const message = openAiOverflowMessage(write(input, limit));
          expect(overflowCounts(write(input, limit))).toEqual({ input, limit });
          expect(message).toMatch(CLIENTS_MATCH);
          expect(message).toContain(`${limit}`);
          expect(message).toContain(write(input, limit));
        }),
      );
    },
  );

  test.each(Object.entries(RESPONSE_TOO_LONG))('for its own response, of %s, has all three counts', (_name, write) => {
    fc.assert(
      fc.property(tokens, tokens, tokens, (input, output, limit) => {
        expect(overflowCounts(write(input, output, limit))).toEqual({ input, output, limit });
        expect(openAiOverflowMessage(write(input, output, limit))).toMatch(CLIENTS_MATCH);
      }),
    );
  });

  test.each([
    ['Bedrock', { message: 'Input is too long for requested model.' }],
    [
      'Anthropic',
      { type: 'error', error: { type: 'invalid_request_error', message: PROMPT_TOO_LONG.Anthropic!(9, 8) } },
    ],
    ['Gemini', { error: { code: 400, status: 'INVALID_ARGUMENT', message: PROMPT_TOO_LONG.Gemini!(9, 8) } }],
    ['xAI', { code: 'Client specified an invalid argument', error: PROMPT_TOO_LONG.xAI!(9, 8) }],
  ])("is one code and OpenAI's words for every provider: %s", (_name, body) => {
    const error = mapErrorResponse(400, {}, JSON.stringify(body), (text) => text, 0);
    expect(error).toMatchObject({ status: 400, code: 'context_length_exceeded', retryable: false });
    expect(error.message).toMatch(/maximum context length/);
    expect(error.message).toMatch(/reduce the length of the messages/);
  });

  test.each(Object.entries(PROMPT_TOO_LONG))('of %s has its counts in the words of each format', (_name, write) => {
    fc.assert(
      fc.property(tokens, tokens, (input, limit) => {
        const message = write(input, limit);
        expect(anthropicOverflowMessage(message)).toBe(`prompt is too long: ${input} tokens > ${limit} maximum`);
        const google = googleOverflowMessage(message);
        expect(google).toContain(
          `input token count (${input}) exceeds the maximum number of tokens allowed (${limit})`,
        );
      }),
    );
  });

  test('with one count alone, or none, still has the words', () => {
    expect(googleOverflowMessage('Too much: 9,001 tokens > what is left')).toMatch(
      /count \(9001\) exceeds .*allowed\. /,
    );
    expect(googleOverflowMessage('No room')).toBe(
      'The input token count exceeds the maximum number of tokens allowed. No room',
    );
    expect(anthropicOverflowMessage('No room')).toBe('prompt is too long: No room');
  });
});
