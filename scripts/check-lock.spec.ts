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

  it('refuses a lock without packages', () => {
    expect(check({ lockfileVersion: 3, packages: { '': {} } }).status).toBe(1);
  });
});
