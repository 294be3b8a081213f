#!/usr/bin/env node
/**
 * Takes out of an installation (the folder given as an argument, with node_modules and dist) what running it does not need: the
 * TypeScript compiler, sources and declarations in TypeScript, source maps, C sources and what builds them.
 */
import { existsSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = process.argv[2];
if (root === undefined || !existsSync(join(root, 'node_modules'))) {
  console.error('usage: strip-installation.mjs <folder with node_modules and dist>');
  process.exit(2);
}
/** `typescript` is a peer of @nestjs/swagger, whose compiler plugin alone uses it. */
const FOLDERS = [
  'typescript',
  ...['better-sqlite3', 'better-sqlite3-13'].flatMap((name) => [`${name}/deps`, `${name}/src`]),
  'better-sqlite3/build/Release/obj',
];
/** Binaries for each platform, named `<platform>-<arch>.node`, of which this one needs one (on Linux for each C library). */
const BINARIES = join(root, 'node_modules/better-sqlite3-13/prebuilds');
const IS_USED = new RegExp(`^${process.platform}(?:musl)?-${process.arch}\\.node$`);
const FILES = /\.(?:[cm]?ts|tsx|tsbuildinfo|gyp|gypi|c|cc|cpp|h|hpp|o|a)$|\.(?:[cm]?[jt]sx?|css)\.map$/;

for (const folder of FOLDERS) rmSync(join(root, 'node_modules', folder), { recursive: true, force: true });

let removed = 0;
for (const name of existsSync(BINARIES) ? readdirSync(BINARIES) : []) {
  if (IS_USED.test(name)) continue;
  rmSync(join(BINARIES, name));
  removed += 1;
}
function strip(folder) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const stats = lstatSync(path);
    if (stats.isDirectory()) strip(path);
    // A command whose package is gone is a dangling link.
    else if (stats.isSymbolicLink() ? !existsSync(path) : FILES.test(name)) {
      rmSync(path);
      removed += 1;
    }
  }
}
strip(join(root, 'node_modules'));
if (existsSync(join(root, 'dist'))) strip(join(root, 'dist'));
console.error(`removed ${removed} files and ${FOLDERS.length} folders`);
