import { GatewayError, invalidRequest, rateLimitExceeded } from '../../errors/gateway-error.js';
import type { CanonicalBlock } from '../../operations/chat/canonical/blocks.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { GEMINI_ERRORS } from '../../../test/fixtures/recorded-gemini.js';
import type { ReadContext, WriteContext } from '../wire-format.js';
import { mapErrorResponse } from '../errors/map-error.js';
import { GEMINI } from './gemini-wire.js';
import { readUsage } from './usage.js';

const context: ReadContext = { upstreamModel: 'gemini-2.5-flash', redact: (text) => text, now: 0 };
const writing = (isShown?: boolean): WriteContext => ({
  model: 'fast',
  requestId: 'req_1',
  now: 0,
  request: { model: 'fast', messages: [], ...(isShown !== undefined && { reasoning: { isShown } }) },
  includesUsage: true,
  estimatedInputTokens: 0,
});
const respond = (candidate: JsonObject, more: JsonObject = {}): JsonObject => ({ candidates: [candidate], ...more });

describe('responses of Gemini', () => {
  it.each([
    ['STOP', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['SAFETY', 'content_filter'],
    ['RECITATION', 'content_filter'],
    ['PROHIBITED_CONTENT', 'content_filter'],
    ['OTHER', 'stop'],
    ['A_NEW_ONE', 'stop'],
    [undefined, 'stop'],
  ])('finish reason %s', (finishReason, finish) => {
    const body = respond({ content: { parts: [{ text: 'x' }] }, finishReason });
    expect(GEMINI.readResponse(body, context).choices[0]).toMatchObject({ finish, blocks: [{ text: 'x' }] });
  });

  it.each(['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'MISSING_THOUGHT_SIGNATURE'])(
    '%s is a failure that may be tried again',
    (finishReason) => {
      expect(() => GEMINI.readResponse(respond({ content: {}, finishReason }), context)).toThrow(
        expect.objectContaining({ status: 502, retryable: true }) as Error,
      );
    },
  );

  it.each<[JsonObject, string]>([
    [{ candidates: [] }, 'nothing'],
    [{}, 'nothing at all'],
    [{ candidates: [{ content: { parts: [] } }] }, 'a candidate of nothing'],
  ])('%j is no response', (body) => {
    expect(() => GEMINI.readResponse(body, context)).toThrow(GatewayError);
  });

  it('unknown parts, members and types are no failure', () => {
    const body = respond(
      {
        content: {
          parts: [{ newThing: { a: 1 } }, 5, {}, { text: 'ok', another: true }, { functionCall: {} }],
          role: 'robot',
        },
        finishReason: 'STOP',
        surprise: 1,
      },
      { usageMetadata: 'none', modelVersion: 7 },
    );
    expect(GEMINI.readResponse(body, context).choices[0]?.blocks).toMatchObject([
      { type: 'opaque', name: 'newThing' },
      { type: 'text', text: 'ok' },
    ]);
  });

  it('gives changed names of functions back', () => {
    const body = respond({ content: { parts: [{ functionCall: { name: 'a_1', args: {} } }] }, finishReason: 'STOP' });
    const { choices } = GEMINI.readResponse(body, { ...context, toolNames: new Map([['a_1', 'a b']]) });
    expect(choices[0]?.blocks[0]).toMatchObject({ name: 'a b' });
  });

  it.each([
    [
      { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 },
      { inputTokens: 10, outputTokens: 5 },
    ],
    [
      {
        promptTokenCount: 10,
        candidatesTokenCount: 5,
        thoughtsTokenCount: 20,
        cachedContentTokenCount: 4,
        totalTokenCount: 35,
      },
      { inputTokens: 10, cachedTokens: 4, outputTokens: 25, reasoningTokens: 20 },
    ],
    // Thinking that is in the total alone.
    [
      { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 215 },
      { inputTokens: 10, outputTokens: 205, reasoningTokens: 200 },
    ],
    [
      { promptTokenCount: 10, toolUsePromptTokenCount: 7, candidatesTokenCount: 5, totalTokenCount: 22 },
      { inputTokens: 17, outputTokens: 5 },
    ],
    [
      { prompt_token_count: 10, total_token_count: 10 },
      { inputTokens: 10, outputTokens: 0 },
    ],
    [{ trafficType: 'ON_DEMAND' }, undefined],
    [{ promptTokenCount: -1, candidatesTokenCount: 'x' }, undefined],
    [undefined, undefined],
  ])('counts %j', (usage, expected) => {
    expect(readUsage(usage)).toEqual(expected);
  });

  it('log probabilities have OpenAI`s form within and Google`s outside', () => {
    const logprobsResult = {
      chosenCandidates: [{ token: 'Hi', logProbability: -0.1 }],
      topCandidates: [
        {
          candidates: [
            { token: 'Hi', logProbability: -0.1 },
            { token: 'Yo', logProbability: -2 },
          ],
        },
      ],
    };
    const result = GEMINI.readResponse(
      respond({ content: { parts: [{ text: 'Hi' }] }, finishReason: 'STOP', logprobsResult }),
      context,
    );
    expect(result.choices[0]?.logprobs).toMatchObject({
      content: [{ token: 'Hi', logprob: -0.1, bytes: [72, 105], top_logprobs: [{ token: 'Hi' }, { token: 'Yo' }] }],
    });
    expect(GEMINI.writeResponse(result, writing())).toMatchObject({ candidates: [{ logprobsResult }] });
  });
});

describe('errors of Gemini', () => {
  it.each([
    ['rateLimit', { status: 429, retryAfterMs: 34_000 }],
    ['badKey', { status: 502 }],
    ['overflow', { status: 400, code: 'context_length_exceeded' }],
    ['overloaded', { status: 503, code: 'upstream_unavailable' }],
    ['unknownModel', { status: 404, code: 'model_not_found' }],
  ] as const)('%s', (name, expected) => {
    const { status, body } = GEMINI_ERRORS[name];
    expect(mapErrorResponse(status, {}, body, context.redact, context.now)).toMatchObject(expected);
  });

  it('rule 10: writes google.rpc, with the field, the wait and the id of the request', () => {
    const { error } = GEMINI.writeError(rateLimitExceeded({ message: 'Wait.', retryAfterMs: 1500 }), 'req_1') as {
      error: JsonObject;
    };
    expect(error).toMatchObject({ code: 429, message: 'Wait.', status: 'RESOURCE_EXHAUSTED' });
    expect(error['details']).toEqual(
      expect.arrayContaining([
        { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1.5s' },
        { '@type': 'type.googleapis.com/google.rpc.RequestInfo', requestId: 'req_1' },
      ]),
    );
    expect(GEMINI.writeError(invalidRequest('Bad.', 'contents[0]'), 'req_1')).toMatchObject({
      error: { status: 'INVALID_ARGUMENT', details: [{}, { fieldViolations: [{ field: 'contents[0]' }] }, {}] },
    });
  });

  it.each([
    [
      "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
      '9001',
      '8192',
    ],
    ['prompt is too long: 210000 tokens > 200000 maximum', '210000', '200000'],
    ['the request exceeds the available context size', undefined, undefined],
  ])('rule 8: an overflow has the words that clients of Google match: %s', (message, count, most) => {
    const { error } = GEMINI.writeError(invalidRequest(message, null, 'context_length_exceeded'), 'r') as {
      error: { message: string };
    };
    expect(error.message).toMatch(/input token count.*exceeds the maximum number of tokens allowed/);
    if (count !== undefined) expect(error.message).toContain(`(${count}) exceeds`);
    if (most !== undefined) expect(error.message).toContain(`allowed (${most})`);
  });
});

describe('responses to clients of Gemini', () => {
  const blocks: CanonicalBlock[] = [
    { type: 'thinking', text: 'hm', signature: { wire: 'anthropic', value: 'sig+/=' } },
    { type: 'text', text: 'Hi' },
    { type: 'tool_call', id: 'c1', name: 'f', kind: 'function', input: '{"a":' },
  ];
  const partsOf = (isShown: boolean): JsonObject[] => {
    const body = GEMINI.writeResponse({ choices: [{ blocks, finish: 'tool_calls' }] }, writing(isShown));
    return (body['candidates'] as { content: { parts: JsonObject[] } }[])[0]?.content.parts ?? [];
  };

  it('shows thoughts to those who asked, and keeps the signature for the way back either way', () => {
    expect(partsOf(true)[0]).toMatchObject({ text: 'hm', thought: true });
    expect(partsOf(false)[0]).toMatchObject({ text: '', thought: true });
    for (const shown of [true, false]) {
      const { messages } = GEMINI.readRequest({ model: 'm', contents: [{ role: 'model', parts: partsOf(shown) }] });
      expect(messages[0]?.blocks[0]).toMatchObject({
        type: 'thinking',
        signature: { wire: 'anthropic', value: 'sig+/=' },
      });
    }
  });

  it('a foreign signature is base64, because clients decode it', () => {
    expect(partsOf(true)[0]?.['thoughtSignature']).toMatch(/^[A-Za-z0-9+/]+=*$/);
  });

  it('arguments that are no object are given within one', () => {
    expect(partsOf(true)[2]).toEqual({ functionCall: { id: 'c1', name: 'f', args: { INVALID_JSON: '{"a":' } } });
  });
});
