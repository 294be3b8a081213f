import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../config/load-config.js';
import { BootError } from '../errors/boot-error.js';
import { loadPepper } from './pepper.js';

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
