#!/usr/bin/env node
/**
 * Checks package-lock.json, or the file given as an argument: every package has a SHA-512 `integrity`, so that `npm ci` installs
 * the same bytes from every registry, mirror and proxy, and no entry names where its package comes from.
 */
import { readFileSync } from 'node:fs';

const SHA512 = /^sha512-[A-Za-z0-9+/]{86}==$/;

/**
 * A package within the archive of another has no integrity of its own: that of the archive covers it. The lock has to say so of
 * both: the package stands directly in the folder of one that has an archive and names it in its `bundleDependencies`.
 */
function isCoveredByArchive(packages, path, { inBundle, integrity, resolved }) {
  if (inBundle !== true || integrity !== undefined || resolved !== undefined) return false;
  const [, owner, name] = /^(.+)\/node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path) ?? [];
  const { inBundle: isOwnerBundled, link, bundleDependencies } = packages[owner] ?? { link: true };
  return !isOwnerBundled && !link && Array.isArray(bundleDependencies) && bundleDependencies.includes(name);
}

function faultsOf(lock) {
  if (lock.lockfileVersion !== 3) return [`lockfileVersion is ${lock.lockfileVersion}, not 3`];
  const entries = Object.entries(lock.packages ?? {}).filter(([path]) => path !== '');
  if (entries.length === 0) return ['the lock has no packages'];
  return entries.flatMap(([path, entry]) => {
    const { version, integrity, resolved, link } = entry;
    const name = `${path.replace(/^.*node_modules\//, '')}@${version}`;
    const faults = [];
    if (link) faults.push(`${path} is a link to a folder, which no integrity covers`);
    else if (isCoveredByArchive(lock.packages, path, entry)) return [];
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
