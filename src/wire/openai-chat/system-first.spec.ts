import fc from 'fast-check';
import type { ChatMessage } from '../../operations/chat/chat-completion.js';
import { withSystemFirst } from './system-first.js';

const text = fc.string({ minLength: 1 });
const message: fc.Arbitrary<ChatMessage> = fc.record({
  role: fc.constantFrom('system', 'developer', 'user', 'assistant'),
  content: fc.oneof(
    text,
    text.map((each) => [{ type: 'text' as const, text: each }]),
  ),
});

const texts = (messages: readonly ChatMessage[]): string =>
  messages
    .map(({ content }) => (typeof content === 'string' ? content : (content ?? []).map((part) => part.text).join('')))
    .join('')
    .replaceAll('\n\n', '');

describe('messages for a template with one system message', () => {
  test('have at most one, at the beginning, and lose nothing of what any of them says', () => {
    fc.assert(
      fc.property(fc.array(message), (messages) => {
        const result = withSystemFirst(messages);
        const places = result.flatMap(({ role }, index) => (role === 'system' || role === 'developer' ? [index] : []));
        expect(places.length === 0 || (places.length === 1 && places[0] === 0)).toBe(true);
        expect(texts(result)).toBe(texts(messages));
        const others = (all: readonly ChatMessage[]): ChatMessage[] => all.filter(({ role }) => role === 'assistant');
        expect(others(result)).toEqual(others(messages));
      }),
    );
  });

  test('keep a lone system message as it is', () => {
    const messages: ChatMessage[] = [
      { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] },
      { role: 'user', content: 'Hi' },
    ];
    expect(withSystemFirst(messages)).toEqual(messages);
  });
});
