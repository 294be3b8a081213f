import { SOURCE } from '../operations/chat/canonical/sources.js';
import { ANTHROPIC } from '../wire/anthropic/anthropic-wire.js';
import { chatRequestOf } from './chat-request-of.js';

describe('a request of another format in the form of OpenAI', () => {
  const search = { type: 'web_search_20250305', name: 'web_search' };
  const messages = [{ role: 'user', content: 'Hi' }];

  it('rule 11: one that the form cannot hold is kept for providers of its own format, with the reason for others', () => {
    for (const tools of [[search], [search, { name: 'f', input_schema: { type: 'object' } }]]) {
      const body = { model: 'm', max_tokens: 5, messages, tools, tool_choice: { type: 'tool', name: 'web_search' } };
      const request = chatRequestOf(ANTHROPIC, body);
      expect(request[SOURCE]).toMatchObject({ body, refusal: { status: 400, param: 'tools' } });
      expect(request).toMatchObject({ model: 'm', messages });
    }
  });

  it('one that it can hold has no reason', () => {
    expect(chatRequestOf(ANTHROPIC, { model: 'm', messages })[SOURCE]).not.toHaveProperty('refusal');
  });
});
