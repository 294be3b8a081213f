import type { ChatRequest } from '../../operations/chat/chat-completion.js';
import { mapRequest } from './map-request.js';

const MESSAGES: ChatRequest['messages'] = [{ role: 'user', content: 'Hello' }];

/** What stands on the wire. */
function sent(request: ChatRequest, stream = false): unknown {
  return JSON.parse(JSON.stringify(mapRequest(request, 'upstream-model', stream)));
}

describe('mapRequest', () => {
  it('sends the upstream model and passes every unknown field through', () => {
    const request: ChatRequest = {
      model: 'fast',
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'a', cache_control: { type: 'ephemeral' } }], vendor: 1 },
      ],
      top_k: 3,
      logit_bias: { '50256': -100 },
      seed: 7,
      chat_template_kwargs: { enable_thinking: false },
      prediction: null,
    };
    expect(sent(request)).toEqual({ ...request, model: 'upstream-model', stream: false });
  });

  it('says the limit of tokens and the developer role in the server’s own words', () => {
    const request: ChatRequest = {
      model: 'fast',
      messages: [{ role: 'developer', content: 'Be brief.' }, ...MESSAGES],
      max_tokens: 5,
      max_completion_tokens: 7,
    };
    const older = mapRequest(request, 'm', true, {
      tokenLimit: 'max_tokens',
      developerRole: false,
      streamOptions: false,
    });
    expect(JSON.parse(JSON.stringify(older))).toEqual({
      model: 'm',
      stream: true,
      max_tokens: 7,
      messages: [{ role: 'system', content: 'Be brief.' }, ...MESSAGES],
    });
    const newer = mapRequest({ ...request, max_completion_tokens: null }, 'm', false, {
      tokenLimit: 'max_completion_tokens',
    });
    expect(newer['max_completion_tokens']).toBe(5);
    expect(newer['max_tokens']).toBeUndefined();
    expect(request.messages[0]?.role).toBe('developer');
    const none = mapRequest({ model: 'fast', messages: MESSAGES }, 'm', false, { tokenLimit: 'max_tokens' });
    expect(Object.keys(JSON.parse(JSON.stringify(none)) as object)).toEqual(['model', 'messages', 'stream']);
  });

  it('keeps a field that is named __proto__', () => {
    const request = JSON.parse(
      '{"model":"fast","messages":[{"role":"user","content":"a"}],"__proto__":{"a":1}}',
    ) as ChatRequest;
    expect(JSON.stringify(mapRequest(request, 'm', false))).toContain('"__proto__":{"a":1}');
  });

  it('leaves explicit nulls of declared fields out', () => {
    expect(
      sent({
        model: 'fast',
        messages: MESSAGES,
        temperature: null,
        max_tokens: null,
        stop: null,
        tools: null,
        metadata: null,
        stream: null,
        stream_options: null,
      }),
    ).toEqual({ model: 'upstream-model', messages: MESSAGES, stream: false });
  });

  it('asks a stream for usage, beside the options of the client', () => {
    const request: ChatRequest = {
      model: 'fast',
      messages: MESSAGES,
      stream: true,
      stream_options: { include_usage: false, include_obfuscation: false },
    };
    expect(sent(request, true)).toMatchObject({
      stream: true,
      stream_options: { include_usage: true, include_obfuscation: false },
    });
    expect(sent({ model: 'fast', messages: MESSAGES }, true)).toMatchObject({
      stream_options: { include_usage: true },
    });
  });

  it('sends no stream_options without a stream', () => {
    expect(sent({ model: 'fast', messages: MESSAGES, stream_options: { include_usage: true } })).not.toHaveProperty(
      'stream_options',
    );
  });

  it('sends metadata only to be stored', () => {
    const metadata = { ticket: { id: 4 } };
    expect(sent({ model: 'fast', messages: MESSAGES, metadata })).not.toHaveProperty('metadata');
    expect(sent({ model: 'fast', messages: MESSAGES, metadata, store: false })).not.toHaveProperty('metadata');
    expect(sent({ model: 'fast', messages: MESSAGES, metadata, store: true })).toMatchObject({ metadata, store: true });
  });

  it('does not touch the request', () => {
    const request = Object.freeze<ChatRequest>({ model: 'fast', messages: MESSAGES, temperature: null, metadata: {} });
    mapRequest(request, 'm', true);
    expect(request).toEqual({ model: 'fast', messages: MESSAGES, temperature: null, metadata: {} });
  });
});
