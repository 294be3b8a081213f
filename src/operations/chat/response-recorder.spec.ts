import { ResponseRecorder } from './response-recorder.js';
import type { ChatCompletionChunk, Delta } from './chat-completion.js';

function chunk(delta: Delta, finish: 'stop' | 'tool_calls' | null = null, index = 0): ChatCompletionChunk {
  const choices = [{ index, delta, finish_reason: finish }];
  return { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm', choices };
}

describe('AnswerRecorder', () => {
  it('merges a stream into the equivalent plain response', () => {
    const streamed = new ResponseRecorder(true);
    streamed.streamed(chunk({ role: 'assistant', content: 'He' }));
    streamed.streamed(chunk({ content: 'llo' }));
    streamed.streamed(chunk({ tool_calls: [{ index: 0, id: 'call_1', function: { name: 'f', arguments: '{"a"' } }] }));
    streamed.streamed(chunk({ tool_calls: [{ index: 0, function: { arguments: ':1}' } }] }));
    streamed.streamed(chunk({}, 'tool_calls'));
    const plain = new ResponseRecorder(true);
    plain.completed({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'Hello',
            refusal: null,
            tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
          },
          logprobs: null,
          finish_reason: 'tool_calls',
        },
      ],
    });
    expect(streamed.response).toEqual(plain.response);
    expect(plain.response.choices[0]).toMatchObject({ content: 'Hello', finish_reason: 'tool_calls' });
  });

  it('keeps how it ended alone where content is not wanted', () => {
    const recorder = new ResponseRecorder(false);
    recorder.streamed(chunk({ content: 'secret' }));
    recorder.streamed(chunk({}, 'stop'));
    expect(JSON.stringify(recorder.response)).not.toContain('secret');
    expect(recorder.response).toMatchObject({ id: 'chatcmpl-1', model: 'm', choices: [{ finish_reason: 'stop' }] });
  });

  it('cuts what is too long and ignores indexes out of all reason', () => {
    const recorder = new ResponseRecorder(true);
    recorder.streamed(chunk({ content: 'a'.repeat(700_000) }));
    recorder.streamed(chunk({ content: 'b'.repeat(700_000) }));
    recorder.streamed(chunk({ content: 'c' }, null, 1e9));
    recorder.streamed(chunk({ tool_calls: [{ index: 1e9, function: { arguments: '{}' } }] }));
    expect(recorder.response.isCut).toBe(true);
    expect(recorder.response.choices).toHaveLength(1);
    expect(recorder.response.choices[0]).toMatchObject({ tool_calls: [] });
    expect(recorder.response.choices[0]?.content).toHaveLength(1_000_000);
  });
});
