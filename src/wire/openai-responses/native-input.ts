import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { compactionText, readCompaction } from './compaction.js';

type Body = Readonly<JsonObject>;

/** The body without reasoning that only the provider that made it can decrypt; undefined where it has none. */
export function withoutEncryptedReasoning(
  body: Body,
  isLeftOut: (encrypted: string) => boolean = () => true,
): Body | undefined {
  const { input } = body;
  if (!Array.isArray(input)) return undefined;
  const kept = input.filter((item: unknown) => !isEncrypted(item) || !isLeftOut(item.encrypted_content));
  return kept.length === input.length ? undefined : { ...body, input: kept };
}

/** Encrypted contents of a body's reasoning. */
export function encryptedContents(items: unknown): string[] {
  if (!Array.isArray(items)) return [];
  return items.flatMap((item: unknown) => (isEncrypted(item) ? [item.encrypted_content] : []));
}

function isEncrypted(item: unknown): item is JsonObject & { encrypted_content: string } {
  return isObject(item) && item['type'] === 'reasoning' && typeof item['encrypted_content'] === 'string';
}

/** What the gateway made, and a provider cannot read: signatures of other formats, and compactions. */
export function forProvider(body: Body): Body {
  const { input } = body;
  if (!Array.isArray(input)) return body;
  const items = input.flatMap((item: unknown): unknown[] => {
    if (!isObject(item)) return [item];
    if (isEncrypted(item) && /^gw1r?\./.test(item.encrypted_content)) return [];
    const summary = item['type'] === 'compaction' ? readCompaction(item['encrypted_content']) : undefined;
    if (summary === undefined) return [item];
    return [{ role: 'user', content: [{ type: 'input_text', text: compactionText(summary) }] }];
  });
  const isSame = items.length === input.length && items.every((item, index) => item === input[index]);
  return isSame ? body : { ...body, input: items };
}
