import type { ChatRequest } from '../../operations/chat/chat-completion.js';
import type { Deployment } from '../../routing/resolved-model.js';
import { PrefillSupport, withPrefill } from './prefill.js';

const REQUEST: ChatRequest = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };
const CONTINUES = { continue_final_message: true, add_generation_prompt: false };

function deployment(name: string, baseUrl: string): Deployment {
  return { id: `${name}/m`, baseUrl, upstreamModel: 'm', provider: { name } } as unknown as Deployment;
}

describe('the beginning of a response as the last turn', () => {
  it.each([
    ['vllm', 'http://127.0.0.1:8000/v1', { role: 'assistant', content: 'Once' }, CONTINUES],
    ['vllm', 'http://models.internal/v1', { role: 'assistant', content: 'Once' }, CONTINUES],
    ['local', 'http://127.0.0.1:8000/v1', { role: 'assistant', content: 'Once' }, {}],
    // The address says which provider it is, and not the name of the entry.
    ['vllm', 'https://api.mistral.ai/v1', { role: 'assistant', content: 'Once', prefix: true }, {}],
    ['mistral', 'https://api.mistral.ai/v1', { role: 'assistant', content: 'Once', prefix: true }, {}],
  ])('is marked as the server needs it: %s at %s', (name, baseUrl, turn, fields) => {
    expect(withPrefill(REQUEST, 'Once', deployment(name, baseUrl))).toEqual({
      ...REQUEST,
      messages: [...REQUEST.messages, turn],
      ...fields,
    });
  });

  it('is not sent to servers that respond to it as to any other turn', () => {
    const support = new PrefillSupport();
    expect(support.takes(deployment('vllm', 'https://api.openai.com/v1'))).toBe(false);
    expect(support.takes(deployment('vllm', 'http://127.0.0.1:8000/v1'))).toBe(true);
  });
});
