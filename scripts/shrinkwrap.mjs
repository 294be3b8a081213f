#!/usr/bin/env node
/**
 * Writes npm-shrinkwrap.json beside package.json for `npm pack`: the versions and hashes of package-lock.json without what is
 * for development alone, so that an installation of the package is the one that was tested. `--remove` takes it away again,
 * since npm would prefer it to package-lock.json here.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const target = fileURLToPath(new URL('../npm-shrinkwrap.json', import.meta.url));
if (process.argv.includes('--remove')) {
  rmSync(target, { force: true });
} else {
  const { packages, ...lock } = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'));
  const { devDependencies: _left, ...manifest } = packages[''];
  const installed = Object.entries(packages).filter(([path, { dev }]) => path !== '' && !dev);
  const shrunk = { ...lock, packages: { '': manifest, ...Object.fromEntries(installed) } };
  writeFileSync(target, `${JSON.stringify(shrunk, null, 2)}\n`);
}
