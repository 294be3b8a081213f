import type { LanguageModelV3Content, LanguageModelV3GenerateResult } from '@ai-sdk/provider';
import { toCompletion } from './to-completion.js';

function result(
  content: LanguageModelV3Content[],
  rest: Partial<LanguageModelV3GenerateResult> = {},
): LanguageModelV3GenerateResult {
  return {
    content,
    finishReason: { unified: 'stop', raw: 'end_turn' },
    usage: {
      inputTokens: { total: 2, noCache: 2, cacheRead: undefined, cacheWrite: undefined },
      outputTokens: { total: 3, text: 3, reasoning: undefined },
    },
    warnings: [],
    ...rest,
  };
}

const OPTIONS = { upstreamModel: 'model-1', now: 5000 };

describe('toCompletion', () => {
  it('has the whole shape, with any part missing', () => {
    expect(toCompletion([result([{ type: 'text', text: 'Hi' }])], OPTIONS)).toEqual({
      id: expect.stringMatching(/^chatcmpl-/) as string,
      object: 'chat.completion',
      created: 5,
      model: 'model-1',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hi', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 },
    });
  });

  it('keeps what the provider says of itself', () => {
    const response = { id: 'msg_1', modelId: 'model-1-2026', timestamp: new Date(9000) };
    expect(toCompletion([result([{ type: 'text', text: 'Hi' }], { response })], OPTIONS)).toMatchObject({
      id: 'msg_1',
      model: 'model-1-2026',
      created: 9,
    });
  });

  it('has reasoning, tool calls, sources and pictures', () => {
    const message = toCompletion(
      [
        result(
          [
            { type: 'reasoning', text: 'Hm. ', providerMetadata: { anthropic: { signature: 'sig' } } },
            { type: 'reasoning', text: '', providerMetadata: { bedrock: { redactedContent: 'x' } } },
            {
              type: 'tool-call',
              toolCallId: 'a',
              toolName: 'f',
              input: '{"x":1}',
              providerMetadata: { vertex: { thoughtSignature: 't' } },
            },
            { type: 'tool-call', toolCallId: 's', toolName: 'web_search', input: '{}', providerExecuted: true },
            { type: 'tool-result', toolCallId: 's', toolName: 'web_search', result: [] },
            { type: 'source', sourceType: 'url', id: '1', url: 'https://example.com' },
            { type: 'file', mediaType: 'image/png', data: 'AAAA' },
          ],
          { finishReason: { unified: 'stop', raw: 'STOP' } },
        ),
      ],
      OPTIONS,
    ).choices[0];
    expect(message).toEqual({
      index: 0,
      message: {
        role: 'assistant',
        content: null,
        refusal: null,
        reasoning_content: 'Hm. ',
        thinking_blocks: [
          { type: 'thinking', thinking: 'Hm. ', signature: 'sig' },
          { type: 'redacted_thinking', data: 'x', encoding: 'bedrock' },
        ],
        tool_calls: [
          {
            id: 'a',
            type: 'function',
            function: { name: 'f', arguments: '{"x":1}' },
            extra_content: { google: { thought_signature: 't' } },
          },
        ],
        annotations: [
          {
            type: 'url_citation',
            url_citation: { url: 'https://example.com', title: 'https://example.com', start_index: 0, end_index: 0 },
          },
        ],
        images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }],
      },
      logprobs: null,
      finish_reason: 'tool_calls',
    });
  });

  it('infers a reason that is missing, since the answer is whole, but takes nothing for no answer', () => {
    const finishReason = { unified: 'other', raw: undefined } as const;
    expect(toCompletion([result([{ type: 'text', text: 'Hi' }], { finishReason })], OPTIONS).choices[0]).toMatchObject({
      finish_reason: 'stop',
    });
    for (const broken of [finishReason, { unified: 'error', raw: 'x' } as const]) {
      expect(() => toCompletion([result([], { finishReason: broken })], OPTIONS)).toThrow(
        expect.objectContaining({ status: 502, retryable: true }) as Error,
      );
    }
  });
});
