import { randomBytes } from 'node:crypto';
import { ContentCipher } from './content-cipher.js';

const plain = Buffer.from('a prompt and its response');

describe('ContentCipher', () => {
  const key = randomBytes(32);
  const cipher = new ContentCipher([key]);

  it('opens what it sealed, each time with another nonce', () => {
    const first = cipher.seal(plain, 'row 1');
    expect(cipher.open(first, 'row 1')).toEqual(plain);
    expect(cipher.seal(plain, 'row 1').content).not.toBe(first.content);
    expect(Buffer.from(first.content, 'base64').includes(plain)).toBe(false);
  });

  it('opens nothing that was changed or moved', () => {
    const sealed = cipher.seal(plain, 'row 1');
    const bytes = Buffer.from(sealed.content, 'base64');
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1;
      expect(cipher.open({ ...sealed, content: changed.toString('base64') }, 'row 1')).toBeUndefined();
    }
    expect(cipher.open(sealed, 'row 2')).toBeUndefined();
    expect(cipher.open({ ...sealed, content: '' }, 'row 1')).toBeUndefined();
  });

  it('opens with a previous key and seals with the current one', () => {
    const next = randomBytes(32);
    const rotated = new ContentCipher([next, key]);
    expect(rotated.open(cipher.seal(plain, ''), '')).toEqual(plain);
    expect(cipher.open(rotated.seal(plain, ''), '')).toBeUndefined();
    expect(new ContentCipher([]).isReady).toBe(false);
  });
});
