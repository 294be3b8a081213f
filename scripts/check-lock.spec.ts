import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Lock {
  lockfileVersion: number;
  packages: Record<string, Record<string, unknown>>;
}

const folder = mkdtempSync(join(tmpdir(), 'check-lock-'));
afterAll(() => rmSync(folder, { recursive: true }));

const committed = (): Lock => JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock;

function check(lock: Lock): { status: number | null; stderr: string } {
  const path = join(folder, 'package-lock.json');
  writeFileSync(path, JSON.stringify(lock));
  const { status, stderr } = spawnSync(process.execPath, ['scripts/check-lock.mjs', path], { encoding: 'utf8' });
  return { status, stderr };
}

describe('the check of package-lock.json', () => {
  it('accepts the committed lock', () => {
    expect(check(committed())).toEqual({ status: 0, stderr: '' });
  });

  it.each<[string, (entry: Record<string, unknown>) => void, string]>([
    ['no integrity', (entry) => delete entry['integrity'], 'express@.* has no integrity'],
    ['an empty integrity', (entry) => (entry['integrity'] = ''), 'express@.* not SHA-512'],
    ['a SHA-1', (entry) => (entry['integrity'] = 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk='), 'express@.* not SHA-512'],
    [
      'a weaker hash beside the SHA-512',
      (entry) => (entry['integrity'] = `${String(entry['integrity'])} sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=`),
      'express@.* not SHA-512',
    ],
    [
      'an address',
      (entry) => (entry['resolved'] = 'https://registry.example/express.tgz'),
      'express@.* names an address',
    ],
    ['a link', (entry) => (entry['link'] = true), 'node_modules/express is a link'],
  ])('refuses a package with %s', (_name, spoil, message) => {
    const lock = committed();
    spoil(lock.packages['node_modules/express']!);
    const { status, stderr } = check(lock);
    expect(status).toBe(1);
    expect(stderr).toMatch(new RegExp(message));
  });

  describe('of a package within the archive of another', () => {
    const OWNER = 'node_modules/express';
    const INNER = `${OWNER}/node_modules/@scope/inner`;
    const locked = (inner: Record<string, unknown>, owner: Record<string, unknown>): Lock => {
      const lock = committed();
      Object.assign(lock.packages[OWNER]!, owner);
      lock.packages[INNER] = { version: '1.0.0', ...inner };
      return lock;
    };
    const bundle = { bundleDependencies: ['@scope/inner'] };

    it('accepts it without an integrity', () => {
      expect(check(locked({ inBundle: true }, bundle))).toEqual({ status: 0, stderr: '' });
    });

    it.each<[string, Lock, string]>([
      ['only says so itself', locked({ inBundle: true }, {}), 'inner@.* has no integrity'],
      ['does not say so', locked({}, bundle), 'inner@.* has no integrity'],
      [
        'is not the one of the archive',
        locked({ inBundle: true }, { bundleDependencies: ['inner'] }),
        'inner@.* has no',
      ],
      [
        'names an address',
        locked({ inBundle: true, resolved: 'https://a.example/' }, bundle),
        'inner@.* names an address',
      ],
      [
        'has a SHA-1',
        locked({ inBundle: true, integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' }, bundle),
        'not SHA-512',
      ],
      ['is a link', locked({ inBundle: true, link: true }, bundle), 'inner is a link'],
      ['is in a linked folder', locked({ inBundle: true }, { ...bundle, link: true }), 'inner@.* has no integrity'],
      [
        'is in an archive without an integrity',
        locked({ inBundle: true }, { ...bundle, integrity: undefined }),
        'express@',
      ],
    ])('refuses one that %s', (_name, lock, message) => {
      const { status, stderr } = check(lock);
      expect(status).toBe(1);
      expect(stderr).toMatch(new RegExp(message));
    });

    it('refuses one at the top, which is in no archive', () => {
      const lock = committed();
      lock.packages['node_modules/express'] = { version: '1.0.0', inBundle: true };
      expect(check(lock).stderr).toMatch(/express@1\.0\.0 has no integrity/);
    });
  });

  it('refuses a lock without packages', () => {
    expect(check({ lockfileVersion: 3, packages: { '': {} } }).status).toBe(1);
  });
});
