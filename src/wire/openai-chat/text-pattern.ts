import { detached } from '../../runtime/detached.js';
import { printExact } from '../../runtime/exact-integers.js';
import type { ChatCompletionChunk } from '../../operations/chat/chat-completion.js';
import { PreserializedChunk } from '../../operations/chat/preserialized-chunk.js';

const NAME = '"content"';
/** Text that stands in JSON as it is. */
const PLAIN = /^[^"\\\u0000-\u001f]+$/;

/** Where the text of a chunk stands in its JSON. */
interface Around {
  readonly before: string;
  readonly after: string;
}

/**
 * What the chunks of a stream have in common that bring text and nothing else. Once one of them was parsed, checked and
 * printed, the next ones that differ from it in their text alone need none of that.
 */
export class TextPattern {
  private constructor(
    private readonly incoming: Around,
    private readonly outgoing: Around,
  ) {}

  /**
   * @param data what the upstream sent
   * @param chunk what it became, in full
   * @returns undefined when nothing can be learned from it
   */
  static of(data: string, chunk: ChatCompletionChunk): TextPattern | undefined {
    const [choice, ...others] = chunk.choices;
    if (choice === undefined || others.length > 0 || choice.finish_reason !== null) return undefined;
    const { delta } = choice;
    for (const field in delta) {
      if (field !== 'content' && (delta as Record<string, unknown>)[field] !== undefined) return undefined;
    }
    const { content } = delta;
    if (typeof content !== 'string' || !PLAIN.test(content)) return undefined;
    const incoming = around(data, content);
    const outgoing = around(printExact(chunk), content);
    return incoming === undefined || outgoing === undefined ? undefined : new TextPattern(incoming, outgoing);
  }

  /** @returns undefined when the event must be read in full */
  match(data: string): PreserializedChunk | undefined {
    const { before, after } = this.incoming;
    if (data.length <= before.length + after.length || !data.startsWith(before) || !data.endsWith(after)) {
      return undefined;
    }
    const text = detached(data.slice(before.length, data.length - after.length));
    return PLAIN.test(text) ? new PreserializedChunk(this.outgoing.before, text, this.outgoing.after) : undefined;
  }
}

/** @returns undefined when the position of the text is not certain */
function around(json: string, content: string): Around | undefined {
  const name = json.indexOf(NAME);
  if (name === -1 || json.includes(NAME, name + NAME.length) || json.includes('\\')) return undefined;
  const start = [': "', ':"']
    .map((between) => NAME + between)
    .find((head) => json.startsWith(head + content + '"', name));
  if (start === undefined) return undefined;
  const from = name + start.length;
  return { before: json.slice(0, from), after: json.slice(from + content.length) };
}
