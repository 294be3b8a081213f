import { isObject } from '../../runtime/json-value.js';
import type { ChatRequest } from './chat-completion.js';

/** Characters of a text that are read: its beginning and its end, where texts of the same client differ. */
const HEAD_CHARACTERS = 256;
const TAIL_CHARACTERS = 512;
/** System prompts before the first user's turn that are read, and parts of content at either end of it. */
const MAX_MESSAGES = 16;
const MAX_PARTS = 16;
/** A prompt of about 1,024 tokens, below which no provider caches it. */
const CACHED_CHARACTERS = 4_096;

/**
 * What the requests of one conversation have in common: system prompt and first turn of the user, of which lengths, beginnings and
 * ends are read, a few thousand characters at most. Undefined for a single short question without a system prompt, of which no
 * provider caches anything, so that such requests need not go to the same deployment.
 */
export function conversationKey({ messages }: ChatRequest): string | undefined {
  let key = '';
  let hasSystem = false;
  for (let at = 0; at < messages.length && at < MAX_MESSAGES; at += 1) {
    const message: unknown = messages[at];
    if (!isObject(message)) return undefined;
    const { role, content } = message;
    const { length, sample } = sampleOf(content);
    key += `${role === 'user' ? 'user' : 'system'} ${length} ${sample}\n`;
    if (role !== 'user') {
      // A history that begins with an answer is a conversation as well.
      hasSystem ||= length > 0;
      continue;
    }
    const isSession = hasSystem || messages.length > at + 1 || length >= CACHED_CHARACTERS;
    return isSession ? key : undefined;
  }
  return hasSystem ? key : undefined;
}

interface Sample {
  /** Characters of the parts that are read. */
  readonly length: number;
  readonly sample: string;
}

function sampleOf(content: unknown): Sample {
  if (typeof content === 'string') return { length: content.length, sample: endsOf(content) };
  if (!Array.isArray(content)) return { length: 0, sample: '' };
  const all: readonly unknown[] = content;
  const parts = all.length > 2 * MAX_PARTS ? [...all.slice(0, MAX_PARTS), ...all.slice(-MAX_PARTS)] : all;
  const texts = parts.flatMap((part) => {
    const text = isObject(part) ? part['text'] : part;
    return typeof text === 'string' ? [text] : [];
  });
  const [only] = texts;
  if (only === undefined) return { length: 0, sample: '' };
  if (texts.length === 1) return { length: only.length, sample: endsOf(only) };
  let head = '';
  for (let at = 0; at < texts.length && head.length < HEAD_CHARACTERS; at += 1) {
    head += (texts[at] ?? '').slice(0, HEAD_CHARACTERS - head.length);
  }
  let tail = '';
  for (let at = texts.length - 1; at >= 0 && tail.length < TAIL_CHARACTERS; at -= 1) {
    tail = (texts[at] ?? '').slice(tail.length - TAIL_CHARACTERS) + tail;
  }
  const length = texts.reduce((sum, text) => sum + text.length, 0);
  return { length, sample: length <= HEAD_CHARACTERS + TAIL_CHARACTERS ? texts.join('') : head + tail };
}

function endsOf(text: string): string {
  if (text.length <= HEAD_CHARACTERS + TAIL_CHARACTERS) return text;
  return text.slice(0, HEAD_CHARACTERS) + text.slice(-TAIL_CHARACTERS);
}
