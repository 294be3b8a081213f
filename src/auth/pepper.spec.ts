import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../config/load-config.js';
import { BootError } from '../errors/boot-error.js';
import fc from 'fast-check';
import { loadPepper, Pepper, PLAIN_SHA256 } from './pepper.js';

describe('the pepper', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gateway-pepper-'));
  });
  afterEach(() => {
    chmodSync(folder, 0o700);
    rmSync(folder, { recursive: true });
  });

  const load = (env: Record<string, string> = {}): string =>
    loadPepper(loadConfig({ env: { GATEWAY_DATA_DIR: folder, ...env }, cwd: folder })).fingerprint;

  it('is made once, for this user’s eyes, and found again', () => {
    const first = load();
    expect(load()).toBe(first);
    expect(readdirSync(folder)).toEqual(['key-pepper']);
    expect(statSync(join(folder, 'key-pepper')).mode & 0o077).toBe(0);
  });

  it('is the one of the environment where there is one', () => {
    expect(load({ GATEWAY_KEY_PEPPER: 'v8Kq2-a-pepper-of-the-environment-Xz' })).not.toBe(load());
  });

  it('refuses a damaged file instead of making every key invalid', () => {
    writeFileSync(join(folder, 'key-pepper'), 'short');
    expect(() => load()).toThrow(BootError);
    expect(() => load()).toThrow(/damaged/);
  });

  it('says in one line that the folder cannot be', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => load({ GATEWAY_DATA_DIR: join(folder, 'file', 'data') })).toThrow(/cannot be written/);
  });
});

describe('hashes of keys', () => {
  const secret = fc.string({ minLength: 32, maxLength: 64 });
  const key = fc.string({ minLength: 1, maxLength: 80 });

  it('match the key they were made of, by whichever of the held peppers they were made', () => {
    fc.assert(
      fc.property(secret, secret, key, key, fc.boolean(), (current, previous, right, wrong, isOld) => {
        fc.pre(current !== previous && right !== wrong);
        const before = new Pepper(previous);
        const pepper = new Pepper(current, previous);
        if (isOld) pepper.writeWith(before.fingerprint);
        const { hash, scheme } = pepper.hash(right);
        expect(pepper.matches(right, hash, scheme)).toBe(true);
        // A row of a version that knew one pepper only says no scheme.
        expect(pepper.matches(right, hash, null)).toBe(true);
        expect(pepper.matches(wrong, hash, scheme)).toBe(false);
        expect(before.matches(right, hash, scheme)).toBe(isOld);
        expect(pepper.hashesOf(right)).toContain(hash);
        expect(pepper.matches(right, null, scheme)).toBe(false);
      }),
    );
  });

  it('without a pepper count only where the row says so', () => {
    const pepper = new Pepper('c'.repeat(32));
    const plain = createHash('sha256').update('some key').digest('hex');
    expect(pepper.matches('some key', plain, PLAIN_SHA256)).toBe(true);
    expect(pepper.matches('some key', plain, null)).toBe(false);
    expect(pepper.matches('some key', plain, pepper.fingerprint)).toBe(false);
    expect(pepper.matches('some key', '0'.repeat(64), 'f'.repeat(32))).toBe(false);
  });
});
