import type { ChatMessage, ContentPart } from '../../operations/chat/chat-completion.js';

/**
 * The chat templates of most open models take one system message, at the beginning. Those that stand there become one; later ones
 * become messages of the user, so that the model reads them where they were.
 */
export function withSystemFirst(messages: readonly ChatMessage[]): ChatMessage[] {
  const end = messages.findIndex((message) => !isSystem(message));
  const leading = end === -1 ? messages : messages.slice(0, end);
  const rest = end === -1 ? [] : messages.slice(end);
  const [first, ...more] = leading;
  const head = first === undefined ? [] : [more.length === 0 ? first : { ...first, content: joined(leading) }];
  return [...head, ...rest.map((message) => (isSystem(message) ? { ...message, role: 'user' as const } : message))];
}

function isSystem({ role }: ChatMessage): boolean {
  return role === 'system' || role === 'developer';
}

/** Texts alone become one text, which every server takes. */
function joined(messages: readonly ChatMessage[]): string | ContentPart[] {
  const texts = messages.map(({ content }) => content);
  if (texts.every((text) => typeof text === 'string')) return texts.join('\n\n');
  return messages.flatMap(({ content }) => {
    if (typeof content === 'string') return content === '' ? [] : [{ type: 'text' as const, text: content }];
    return content ?? [];
  });
}
