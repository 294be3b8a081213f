import { SOURCE } from '../operations/chat/canonical/sources.js';
import type { ChatRequest } from '../operations/chat/chat-completion.js';
import { parseChatRequest } from './chat-request.pipe.js';

const FLAT = { type: 'function', name: 'f', parameters: { type: 'object', properties: {} } };

describe('rule 22: a body of the Responses API on the chat route', () => {
  it('is read as a chat request', () => {
    const request = parseChatRequest({
      model: 'm',
      instructions: 'Be brief.',
      input: [
        { role: 'user', content: [{ type: 'input_text', text: 'x' }] },
        { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c', output: 'ok' },
      ],
      tools: [FLAT, { type: 'web_search' }],
      stream: true,
      max_output_tokens: 50,
      store: true,
    });
    expect(request).toMatchObject({
      model: 'm',
      stream: true,
      max_completion_tokens: 50,
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'x' },
        { role: 'assistant', tool_calls: [{ id: 'c', function: { name: 'f' } }] },
        { role: 'tool', tool_call_id: 'c', content: 'ok' },
      ],
      tools: [{ type: 'function', function: { name: 'f' } }],
    });
    expect(request[SOURCE]?.dropped).toEqual(['tools[1].web_search']);
    expect(request['store']).toBeUndefined();
  });

  it('flat tools beside messages become those of chat', () => {
    const nested = { type: 'function', function: { name: 'g' } };
    const request: ChatRequest = parseChatRequest({
      model: 'm',
      messages: [{ role: 'user', content: 'x' }],
      tools: [FLAT, nested],
    });
    expect(request.tools).toEqual([{ type: 'function', function: { name: 'f', parameters: FLAT.parameters } }, nested]);
  });

  it.each([
    ['previous_response_id', { previous_response_id: 'resp_1' }],
    ['background', { background: true }],
    ['input[0].role', { input: [{ role: 'judge', content: 'x' }] }],
  ])('%s is named', (param, more) => {
    expect(() => parseChatRequest({ model: 'm', input: 'x', ...more })).toThrow(
      expect.objectContaining({ status: 400, param }) as Error,
    );
  });
});
