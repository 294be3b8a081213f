import type { ConfigFault } from './config-error.js';
import type { ReadVariable } from './settings/variables.js';

const CURRENT = 'GATEWAY_REQUEST_LOG_KEY';
const PREVIOUS = 'GATEWAY_REQUEST_LOG_PREVIOUS_KEYS';
const FIX = 'must be 32 random bytes in hex or base64. Make them with: openssl rand -hex 32';

/**
 * The keys of the request log in hex, the current one first.
 *
 * @param text reads a variable; an empty one counts as unset
 */
export function readEncryptionKeys(text: ReadVariable, faults: ConfigFault[]): readonly string[] {
  const current = text(CURRENT);
  const previous = text(PREVIOUS);
  if (current === undefined) {
    if (previous !== undefined) faults.push({ path: PREVIOUS, message: `has no effect without ${CURRENT}` });
    return [];
  }
  const read = (name: string, value: string): string[] => {
    const key = bytesOf(value.trim());
    if (key === undefined) faults.push({ path: name, message: FIX });
    return key === undefined ? [] : [key.toString('hex')];
  };
  return [
    ...read(CURRENT, current),
    ...(previous ?? '').split(',').flatMap((key) => (key.trim() === '' ? [] : read(PREVIOUS, key))),
  ];
}

function bytesOf(value: string): Buffer | undefined {
  const isHex = /^[0-9a-f]{64}$/i.test(value);
  if (!isHex && !/^[A-Za-z0-9+/_-]{43}=?$/.test(value)) return undefined;
  const bytes = Buffer.from(value, isHex ? 'hex' : 'base64');
  // Random bytes are mostly distinct; those of a repeated pattern are not.
  return bytes.length === 32 && new Set(bytes).size >= 16 ? bytes : undefined;
}
