import type { LanguageModelV3FinishReason } from '@ai-sdk/provider';
import { toFinishReason } from './to-finish-reason.js';

describe('toFinishReason', () => {
  it.each<[LanguageModelV3FinishReason['unified'], string | undefined, boolean, string | null]>([
    ['stop', 'end_turn', false, 'stop'],
    ['stop', 'STOP', true, 'tool_calls'],
    ['tool-calls', 'tool_use', true, 'tool_calls'],
    ['tool-calls', 'tool_use', false, 'stop'],
    ['length', 'max_tokens', false, 'length'],
    ['length', 'max_tokens', true, 'length'],
    ['content-filter', 'SAFETY', false, 'content_filter'],
    ['error', undefined, false, 'failed'],
    ['other', undefined, false, null],
    ['other', 'insufficient_system_resource', false, 'failed'],
    ['other', 'an unknown word', false, 'stop'],
    ['other', 'an unknown word', true, 'tool_calls'],
  ])('%s (%s), with tool calls: %s, is %s', (unified, raw, hasToolCalls, expected) => {
    expect(toFinishReason({ unified, raw }, hasToolCalls)).toBe(expected);
  });
});
