import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypted content and the id of its key. */
export interface Sealed {
  readonly encryptionKey: string;
  /** Base64. */
  readonly content: string;
}

/**
 * AES-256-GCM with its own nonce for each entry. `bound` is authenticated with the content, so that content moved to another row
 * is detected.
 */
export class ContentCipher {
  private readonly currentId: string;
  private readonly byId = new Map<string, Buffer>();

  /** @param keys 32 bytes each; the first one encrypts, all of them decrypt */
  constructor(keys: readonly Buffer[]) {
    for (const key of keys) this.byId.set(keyId(key), key);
    const [current] = keys;
    this.currentId = current === undefined ? '' : keyId(current);
  }

  /** Whether there is a key to encrypt with. */
  get isReady(): boolean {
    return this.currentId !== '';
  }

  seal(plain: Buffer, bound: string): Sealed {
    const key = this.byId.get(this.currentId);
    if (key === undefined) throw new Error('there is no key to encrypt with');
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(bound));
    const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
    return {
      encryptionKey: this.currentId,
      content: Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64'),
    };
  }

  /** @returns undefined when the key is unknown, or the content was changed */
  open({ encryptionKey, content }: Sealed, bound: string): Buffer | undefined {
    const key = this.byId.get(encryptionKey);
    if (key === undefined) return undefined;
    const bytes = Buffer.from(content, 'base64');
    try {
      const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
        .setAAD(Buffer.from(bound))
        .setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
    } catch {
      return undefined;
    }
  }
}

/** A fingerprint that distinguishes keys without revealing them. */
function keyId(key: Buffer): string {
  return createHash('sha256').update('request-log-key:').update(key).digest('hex').slice(0, 12);
}
