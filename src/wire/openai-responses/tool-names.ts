import { createHash } from 'node:crypto';

/** The characters that OpenAI allows in names of tools and in ids of calls. */
const NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const MAX_CHARACTERS = 64;
const HASH_DIGITS = 8;

/** Names of one request in the alphabet of the format, and the way back. The same name gives the same result in every request. */
export class ToolNames {
  /** The client's name by the name at the provider, of those that differ. */
  readonly changed = new Map<string, string>();

  write(name: string): string {
    const written = fit(name);
    if (written !== name) this.changed.set(written, name);
    return written;
  }
}

/** A text in the alphabet and length that the format takes; its hash keeps it apart from others. */
export function fit(text: string): string {
  if (NAME.test(text)) return text;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, HASH_DIGITS);
  const plain = text.replace(/[^a-zA-Z0-9_-]+/g, '_').slice(0, MAX_CHARACTERS - HASH_DIGITS - 1);
  return `${plain}_${hash}`;
}

/** An id of a call: any characters, at most 64 of them. */
export function fitId(id: string): string {
  return id.length <= MAX_CHARACTERS && id !== '' ? id : fit(id);
}
