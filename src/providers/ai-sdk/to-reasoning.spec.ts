import type { ChatMessage } from '../../operations/chat/chat-completion.js';
import { dialectOf } from './dialect.js';
import { toReasoning, type MappedReasoning } from './to-reasoning.js';

function map(
  type: string,
  modelId: string,
  effort: unknown,
  maxOutputTokens?: number,
  fields: Record<string, unknown> = {},
): MappedReasoning {
  const request = {
    model: 'm',
    messages: [{ role: 'user' as const, content: 'Hi' }],
    reasoning_effort: effort,
    ...fields,
  };
  return toReasoning(request, dialectOf(type, modelId), modelId, maxOutputTokens);
}

const DROPPED = { options: {}, dropped: ['reasoning_effort'] };

describe('toReasoning', () => {
  it.each<[string, string, string, object]>([
    ['anthropic', 'claude-sonnet-4-5', 'high', { thinking: { type: 'enabled', budgetTokens: 24_576 } }],
    ['anthropic', 'claude-3-7-sonnet-latest', 'minimal', { thinking: { type: 'enabled', budgetTokens: 1024 } }],
    ['anthropic', 'claude-sonnet-4-20250514', 'low', { thinking: { type: 'enabled', budgetTokens: 1024 } }],
    ['anthropic', 'claude-opus-4-6', 'xhigh', { thinking: { type: 'adaptive' }, effort: 'high' }],
    [
      'anthropic',
      'claude-opus-4-7',
      'xhigh',
      { thinking: { type: 'adaptive', display: 'summarized' }, effort: 'xhigh' },
    ],
    [
      'anthropic',
      'claude-sonnet-5',
      'minimal',
      { thinking: { type: 'adaptive', display: 'summarized' }, effort: 'low' },
    ],
    ['anthropic', 'claude-sonnet-4-5', 'none', { thinking: { type: 'disabled' } }],
    ['anthropic', 'claude-3-5-haiku-latest', 'none', {}],
    ['vertex', 'claude-opus-4-6@20260205', 'low', { thinking: { type: 'adaptive' }, effort: 'low' }],
    ['google', 'gemini-2.5-flash', 'medium', { thinkingConfig: { thinkingBudget: 8192, includeThoughts: true } }],
    ['google', 'gemini-2.5-flash', 'none', { thinkingConfig: { thinkingBudget: 0, includeThoughts: false } }],
    ['google', 'gemini-2.5-pro', 'none', { thinkingConfig: { thinkingBudget: 128, includeThoughts: false } }],
    ['google', 'gemini-3-pro-preview', 'medium', { thinkingConfig: { thinkingLevel: 'high', includeThoughts: true } }],
    ['google', 'gemini-3.5-flash', 'minimal', { thinkingConfig: { thinkingLevel: 'minimal', includeThoughts: true } }],
    ['vertex', 'gemini-3.1-pro-preview', 'max', { thinkingConfig: { thinkingLevel: 'high', includeThoughts: true } }],
    [
      'bedrock',
      'us.anthropic.claude-sonnet-4-5-v1:0',
      'low',
      { reasoningConfig: { type: 'enabled', budgetTokens: 1024 } },
    ],
    [
      'bedrock',
      'anthropic.claude-opus-4-6-v1',
      'low',
      { reasoningConfig: { type: 'adaptive', maxReasoningEffort: 'low' } },
    ],
    [
      'bedrock',
      'us.amazon.nova-2-lite-v1:0',
      'max',
      { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'high' } },
    ],
    ['bedrock', 'openai.gpt-oss-120b-1:0', 'low', { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'low' } }],
    ['cohere', 'command-a-reasoning-08-2025', 'medium', { thinking: { type: 'enabled', tokenBudget: 8192 } }],
    ['cohere', 'command-a-reasoning-08-2025', 'none', { thinking: { type: 'disabled' } }],
    ['mistral', 'magistral-medium', 'low', { reasoningEffort: 'high' }],
    ['xai', 'grok-4', 'minimal', { reasoningEffort: 'low' }],
    ['groq', 'openai/gpt-oss-20b', 'xhigh', { reasoningEffort: 'high' }],
    ['deepseek', 'deepseek-chat', 'none', { thinking: { type: 'disabled' } }],
    ['deepseek', 'deepseek-chat', 'high', { thinking: { type: 'enabled' }, reasoningEffort: 'high' }],
    ['azure', 'gpt-5', 'minimal', { reasoningEffort: 'minimal' }],
    ['perplexity', 'sonar-reasoning', 'low', {}],
  ])('%s, %s: %s', (type, modelId, effort, options) => {
    expect(map(type, modelId, effort)).toMatchObject({ options, dropped: [] });
  });

  it.each<[string, string, unknown]>([
    ['anthropic', 'claude-3-5-haiku-latest', 'low'],
    ['google', 'gemini-2.0-flash', 'low'],
    ['bedrock', 'meta.llama3-70b', 'low'],
    ['cohere', 'command-a', 'low'],
    ['anthropic', 'claude-sonnet-4-5', 'enormous'],
    ['google', 'gemini-2.5-pro', 5],
  ])('%s, %s cannot take %s', (type, modelId, effort) => {
    expect(map(type, modelId, effort)).toMatchObject(DROPPED);
  });

  it('leaves room for the response, and does not reason where there is none', () => {
    expect(map('anthropic', 'claude-sonnet-4-5', 'high', 2000)).toMatchObject({ budgetTokens: 1600 });
    expect(map('anthropic', 'claude-sonnet-4-5', 'high', 1000)).toMatchObject(DROPPED);
  });

  it('does not think in the middle of a tool call whose thinking the client has lost', () => {
    const messages = (thinking: object): ChatMessage[] => [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: null, tool_calls: [], ...thinking },
      { role: 'tool', tool_call_id: 'a', content: 'x' },
    ];
    const thinking_blocks = [{ type: 'thinking', thinking: 'Hm.', signature: 's' }];
    expect(map('anthropic', 'claude-sonnet-4-5', 'low', undefined, { messages: messages({}) })).toMatchObject(DROPPED);
    expect(
      map('anthropic', 'claude-sonnet-4-5', 'low', undefined, { messages: messages({ thinking_blocks }) }).dropped,
    ).toEqual([]);
  });

  it('takes Anthropic’s own parameter', () => {
    const thinking = { type: 'enabled', budget_tokens: 2000 };
    expect(map('anthropic', 'claude-sonnet-4-5', undefined, 4000, { thinking })).toEqual({
      options: { thinking: { type: 'enabled', budgetTokens: 2000 } },
      budgetTokens: 2000,
      dropped: [],
    });
    expect(map('deepseek', 'deepseek-chat', undefined, undefined, { thinking }).options).toEqual({
      thinking: { type: 'enabled' },
    });
  });
});
