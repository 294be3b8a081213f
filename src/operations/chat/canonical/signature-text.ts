import type { Signature } from './blocks.js';
import { WIRE_NAMES, type WireName } from './wire-name.js';

/** In front of a signature that another format made. `gw1r` marks one that holds the thinking itself, encrypted. */
const TAG = 'gw1';
const REDACTED_TAG = 'gw1r';
const TAGGED = new RegExp(`^(${TAG}|${REDACTED_TAG})\\.(${WIRE_NAMES.join('|')})\\.(.*)$`, 's');
/** Gemini's signatures are bytes in base64, and its SDKs decode them. This is `gw1`. */
const TAG_IN_BASE64 = 'Z3cx';

/**
 * A signature as text of a client's format. One of the same format is as its provider made it. Another is
 * `gw1.<format>.<value>`, so that the client returns it and it reaches the provider that made it, and no other.
 *
 * @param wire the client's format
 * @param isRedacted whether the signature holds the thinking itself; a format with a block of its own for that needs no tag
 */
export function writeSignature(signature: Signature, wire: WireName, isRedacted = false): string {
  const { value } = signature;
  // A value that looks tagged, as another gateway gives, is tagged once more: it must come back as it is.
  if (signature.wire === wire && tagOf(value, wire) === undefined) return value;
  const text = `${isRedacted ? REDACTED_TAG : TAG}.${signature.wire}.${value}`;
  return wire === 'gemini' ? Buffer.from(text, 'utf8').toString('base64') : text;
}

/**
 * The way back: which format made a signature that a client returned. For requests of clients alone: a signature that a
 * provider sends is its own, even one that looks tagged.
 *
 * @param wire the client's format
 */
export function readSignature(text: string, wire: WireName): Signature {
  return tagOf(text, wire)?.signature ?? { wire, value: text };
}

/** Whether a signature of another format that a client returned holds the thinking itself. */
export function isRedactedSignature(text: string, wire: WireName): boolean {
  return tagOf(text, wire)?.isRedacted === true;
}

function tagOf(text: string, wire: WireName): { signature: Signature; isRedacted: boolean } | undefined {
  const plain =
    wire === 'gemini' && text.startsWith(TAG_IN_BASE64) ? Buffer.from(text, 'base64').toString('utf8') : text;
  const [, tag, name, value] = TAGGED.exec(plain) ?? [];
  const made = WIRE_NAMES.find((known) => known === name);
  if (made === undefined || value === undefined) return undefined;
  return { signature: { wire: made, value }, isRedacted: tag === REDACTED_TAG };
}
