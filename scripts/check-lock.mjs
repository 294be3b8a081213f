#!/usr/bin/env node
/**
 * Checks package-lock.json, or the file given as an argument: every package has a SHA-512 `integrity`, so that `npm ci` installs
 * the same bytes from every registry, mirror and proxy, and no entry names where its package comes from.
 */
import { readFileSync } from 'node:fs';

const SHA512 = /^sha512-[A-Za-z0-9+/]{86}==$/;

function faultsOf(lock) {
  if (lock.lockfileVersion !== 3) return [`lockfileVersion is ${lock.lockfileVersion}, not 3`];
  const entries = Object.entries(lock.packages ?? {}).filter(([path]) => path !== '');
  if (entries.length === 0) return ['the lock has no packages'];
  return entries.flatMap(([path, { version, integrity, resolved, link, inBundle }]) => {
    const name = `${path.replace(/^.*node_modules\//, '')}@${version}`;
    const faults = [];
    if (link) faults.push(`${path} is a link to a folder, which no integrity covers`);
    // A package inside of another one's archive is covered by that one's integrity.
    else if (inBundle === true) return [];
    else if (integrity === undefined) faults.push(`${name} has no integrity`);
    else if (
      !String(integrity)
        .split(' ')
        .every((hash) => SHA512.test(hash))
    )
      faults.push(`${name} has an integrity that is not SHA-512: ${integrity}`);
    if (resolved !== undefined) faults.push(`${name} names an address: ${resolved}`);
    return faults;
  });
}

const path = process.argv[2] ?? new URL('../package-lock.json', import.meta.url);
const faults = faultsOf(JSON.parse(readFileSync(path, 'utf8')));
if (faults.length > 0) {
  console.error(`package-lock.json has ${faults.length} faults:\n  ${faults.slice(0, 20).join('\n  ')}`);
  console.error(
    'Write it anew: rm -rf node_modules package-lock.json && npm install --package-lock-only (.npmrc leaves addresses out).',
  );
  process.exit(1);
}
