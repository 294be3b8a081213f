import { createHash, randomBytes } from 'node:crypto';

/** The parts of a key `gw_<id>_<secret>_<check>`. */
export interface ParsedKey {
  /** `key_<id>`: public, and the primary key of its row. */
  readonly id: string;
  /** The whole key; a secret. */
  readonly key: string;
}

const SHAPE = /^gw_([0-9a-f]{16})_([0-9A-Za-z]{40})_([0-9a-f]{6})$/;
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SECRET_CHARACTERS = 40;

/** A new key: 64 bits of public id and 238 bits of secret. */
export function generateKey(id: string = randomBytes(8).toString('hex')): ParsedKey {
  const body = `gw_${id}_${randomSecret()}`;
  return { id: `key_${id}`, key: `${body}_${checksum(body)}` };
}

/** The public part of an id such as `key_0123456789abcdef`, for a rotation that keeps it. */
export function publicPart(id: string): string {
  return id.slice('key_'.length);
}

/**
 * Checks shape and checksum without any query, so that guesses and typing errors cost nothing.
 *
 * @returns undefined when the text cannot be a key
 */
export function parseKey(text: string): ParsedKey | undefined {
  const [, id, secret, check] = SHAPE.exec(text) ?? [];
  if (id === undefined || secret === undefined || check === undefined) return undefined;
  return checksum(`gw_${id}_${secret}`) === check ? { id: `key_${id}`, key: text } : undefined;
}

/** The last characters, of which six are the checksum: identifies a key without revealing it. */
export function hintOf(key: string): string {
  return `...${key.slice(-8)}`;
}

function checksum(body: string): string {
  return createHash('sha256').update(body).digest('hex').slice(0, 6);
}

function randomSecret(): string {
  let secret = '';
  while (secret.length < SECRET_CHARACTERS) {
    for (const byte of randomBytes(SECRET_CHARACTERS)) {
      // 248 is the largest multiple of 62 in a byte: every character is as likely as another.
      if (byte < 248 && secret.length < SECRET_CHARACTERS) secret += ALPHABET[byte % 62] ?? '';
    }
  }
  return secret;
}
