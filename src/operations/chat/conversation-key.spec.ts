import fc from 'fast-check';
import type { ChatRequest } from './chat-completion.js';
import { conversationKey } from './conversation-key.js';

function keyOf(messages: readonly object[]): string | undefined {
  return conversationKey({ model: 'm', messages } as unknown as ChatRequest);
}

const system = { role: 'system', content: 'You are a guide.' };
const user = { role: 'user', content: 'Where is the station?' };
const more = [
  { role: 'assistant', content: 'To the left.' },
  { role: 'user', content: 'And the museum?' },
];
/** The most that a key may hold of any request. */
const MAX_KEY_CHARACTERS = 16 * 800;

describe('what the requests of a conversation have in common', () => {
  it('is the same at every turn', () => {
    const first = keyOf([system, user]);
    expect(first).toBeDefined();
    expect(keyOf([system, user, ...more])).toBe(first);
    expect(keyOf([system, user, ...more, ...more])).toBe(first);
  });

  it('depends on the system prompt and on the first turn, and on nothing else', () => {
    const keys = [
      keyOf([system, user]),
      keyOf([{ ...system, content: 'You are a cook.' }, user]),
      keyOf([system, { ...user, content: 'Where is the harbour?' }]),
      keyOf([user, ...more]),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(keyOf([{ role: 'developer', content: system.content }, user])).toBe(keys[0]);
  });

  it('is the same for content in parts as for text', () => {
    const parts = [
      { type: 'text', text: user.content.slice(0, 5) },
      { type: 'text', text: user.content.slice(5) },
    ];
    const picture = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(1_000_000)}` } };
    expect(keyOf([system, { role: 'user', content: parts }])).toBe(keyOf([system, user]));
    expect(keyOf([system, { role: 'user', content: [...parts, picture] }])).toBe(keyOf([system, user]));
  });

  it('distinguishes long texts by length, beginning and end', () => {
    const long = 'x'.repeat(50_000);
    const texts = [long, `${long}y`, `y${long.slice(1)}`, `${long.slice(1)}y`, `${long.slice(600)}${'z'.repeat(600)}`];
    expect(new Set(texts.map((content) => keyOf([{ role: 'user', content }]))).size).toBe(texts.length);
    const inParts = texts.map((text) => ({
      role: 'user',
      content: [...(text.match(/.{1,30000}/g) ?? [])].map((each) => ({ type: 'text', text: each })),
    }));
    expect(inParts.map((message) => keyOf([message]))).toEqual(
      texts.map((content) => keyOf([{ role: 'user', content }])),
    );
  });

  it('is nothing for a short question by itself', () => {
    expect(keyOf([user])).toBeUndefined();
    expect(keyOf([])).toBeUndefined();
    expect(keyOf([{ ...system, content: '' }, user])).toBeUndefined();
    expect(keyOf([{ ...user, content: 'x'.repeat(5_000) }])).toBeDefined();
  });

  it('is short, however long the request is, with any content', () => {
    const content = fc.oneof(
      fc.string({ maxLength: 50 }).map((text) => text.repeat(5_000)),
      fc.array(fc.oneof(fc.jsonValue(), fc.record({ type: fc.constant('text'), text: fc.string() })), {
        maxLength: 60,
      }),
      fc.constant(null),
    );
    const message = fc.oneof(
      fc.record({ role: fc.constantFrom('system', 'user', 'assistant', 'tool'), content }),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fc.array(message, { maxLength: 40 }), (messages) => {
        const key = conversationKey({ model: 'm', messages } as unknown as ChatRequest);
        expect(key === undefined || key.length <= MAX_KEY_CHARACTERS).toBe(true);
      }),
    );
  });
});
