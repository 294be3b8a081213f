/**
 * Copied to dist/node_modules/.bundle/load.js: loads the bundled packages. V8 takes the functions that scripts/code-cache.mjs had
 * compiled from a file beside the bundle, which is named after the version of V8, its options and the processor. Without
 * such a file, or with one that V8 rejects, it compiles them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachedDataVersionTag } from 'node:v8';
import { Script } from 'node:vm';

const file = fileURLToPath(new URL('packages.cjs', import.meta.url));
const cacheFile = `${file}.${cachedDataVersionTag()}.cache`;

function readCache() {
  try {
    return readFileSync(cacheFile);
  } catch {
    return undefined;
  }
}

// esbuild writes ASCII.
const wrapper = `(function (exports, require, module, __filename, __dirname) { ${readFileSync(file, 'latin1')}\n})`;
const script = new Script(wrapper, { filename: file, cachedData: readCache() });
/** @type {{ exports: Record<string, () => Record<string, unknown>> }} */
const packages = { exports: {} };
script.runInThisContext()(packages.exports, createRequire(file), packages, file, dirname(file));

/** Whether V8 had to compile anew. */
export const isCompiledAnew = script.cachedDataRejected !== false;

/** @param {string} specifier a package, or a path in one, which runs now if it has not run yet */
export function load(specifier) {
  return packages.exports[specifier]();
}

/** Writes what V8 has compiled so far, for later starts with the same options. */
export function saveCodeCache() {
  writeFileSync(cacheFile, script.createCachedData());
}
