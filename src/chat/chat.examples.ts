import { REQUEST_ID_HEADER } from '../errors/api-errors.decorator.js';

/** Bodies that work when pasted, against the sandbox. */
export const CHAT_EXAMPLES = {
  plain: {
    summary: 'A plain completion',
    value: { model: 'sandbox/echo', messages: [{ role: 'user', content: 'Say hello to Ada.' }] },
  },
  stream: {
    summary: 'A stream with usage',
    value: {
      model: 'sandbox/echo',
      messages: [{ role: 'user', content: 'Say hello to Ada.' }],
      stream: true,
      stream_options: { include_usage: true },
    },
  },
  tools: {
    summary: 'A tool call',
    value: {
      model: 'sandbox/echo',
      messages: [{ role: 'user', content: 'What is the weather in Paris?' }],
      tools: [
        {
          type: 'function',
          function: {
            name: 'get_weather',
            parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
          },
        },
      ],
    },
  },
  structured: {
    summary: 'A response that satisfies a JSON schema',
    value: {
      model: 'sandbox/echo',
      messages: [{ role: 'user', content: 'Ada Lovelace, born 1815.' }],
      response_format: {
        type: 'json_schema',
        json_schema: {
          name: 'person',
          strict: true,
          schema: {
            type: 'object',
            properties: { name: { type: 'string' }, born: { type: 'integer' } },
            required: ['name', 'born'],
            additionalProperties: false,
          },
        },
      },
    },
  },
};

export const STREAM_EXAMPLE = [
  'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1767225600,"model":"sandbox/echo","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello"},"logprobs":null,"finish_reason":null}]}',
  'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1767225600,"model":"sandbox/echo","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}',
  'data: [DONE]',
  '',
].join('\n\n');

function header(
  description: string,
  example: string,
): { description: string; schema: { type: 'string'; example: string } } {
  return { description, schema: { type: 'string', example } };
}

export const CHAT_RESPONSE_HEADERS = {
  ...REQUEST_ID_HEADER,
  'x-gateway-model': header(
    'The configured model that served the request: a fallback where it differs from the requested model.',
    'fast',
  ),
  'x-gateway-provider': header('The provider that served the request, by its name in the configuration.', 'openai'),
  'x-gateway-attempts': header('Upstream calls that it took.', '1'),
  'x-gateway-dropped-params': header(
    'Fields of the request that the provider cannot take and did not get; absent when there are none.',
    'seed, logit_bias',
  ),
  'x-gateway-cost': header(
    'US dollars. Not on streams; absent when the price is unknown, never a made-up 0.',
    '0.0000125',
  ),
  'x-ratelimit-limit-requests': header(
    "Requests a minute, of the gateway's nearest limit. Where it has none, all `x-ratelimit-*` are those of a provider that speaks the client's format, or absent.",
    '600',
  ),
  'x-ratelimit-remaining-requests': header('Requests that are left of it.', '599'),
  'x-ratelimit-reset-requests': header('Time until the window ends.', '1m0s'),
  'x-ratelimit-limit-tokens': header('Tokens a minute, of the nearest limit; absent when there is none.', '200000'),
  'x-ratelimit-remaining-tokens': header('Tokens that are left of it.', '199000'),
  'x-ratelimit-reset-tokens': header('Time until the window ends.', '59s'),
  'openai-processing-ms': header('Milliseconds until the response, or the first event of a stream, was ready.', '412'),
};
