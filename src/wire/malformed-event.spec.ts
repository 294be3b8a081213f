import { isMalformed, mayHoldContent } from './malformed-event.js';

describe('an event that is no JSON', () => {
  it.each([
    ['{"id":"c1","choices":[{"delta":{"content": ', false],
    ['{"id":"c1","choices":[{"delta":{"content":"', false],
    ['not json', false],
    ['{"id":"c1","choices":[{"delta":{"content":"wo', true],
    ['{"choices":[{"delta":{"reasoning_content":"so', true],
    ['{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"wo', true],
    ['{"type":"response.output_text.delta","delta":"wo', true],
    ['{"candidates":[{"content":{"parts":[{"text":"wo', true],
    ['{"choices":[{"delta":{"tool_calls":[{"index":0', true],
  ])('%s may hold a part of the response: %s', (data, holds) => {
    expect([isMalformed(data), mayHoldContent(data)]).toEqual([true, holds]);
  });
});
