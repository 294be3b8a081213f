/**
 * Copied to dist/node_modules/.bundle/load.js: loads the bundled packages. V8 takes the functions that scripts/code-cache.mjs had
 * compiled from a file beside the bundle, which is named after the version of V8, its options and the processor. Without
 * such a file, or with one that V8 rejects, it compiles them.
 */
import { closeSync, fstatSync, openSync, readSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachedDataVersionTag } from 'node:v8';
import { Script } from 'node:vm';

const file = fileURLToPath(new URL('packages.cjs', import.meta.url));
const cacheFile = `${file}.${cachedDataVersionTag()}.cache`;

/**
 * Reads a file whose bytes are needed only once. `release` frees their memory at once; that of a Buffer stays until a
 * collection of the old generation, which an idle process does not make.
 *
 * @param {string} path
 */
function readOnce(path) {
  const descriptor = openSync(path, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const memory = new ArrayBuffer(size, { maxByteLength: size });
    const bytes = Buffer.from(memory);
    for (let end = 0; end < size;) {
      const count = readSync(descriptor, bytes, end, size - end, end);
      if (count === 0) throw new Error(`${path} changed while it was read`);
      end += count;
    }
    return { bytes, release: () => memory.resize(0) };
  } finally {
    closeSync(descriptor);
  }
}

function readCache() {
  try {
    return readOnce(cacheFile);
  } catch {
    return undefined;
  }
}

const source = readOnce(file);
// The bundle is ASCII, and contains its wrapper: with another text around it, there would be a second copy of it.
const text = source.bytes.toString('latin1');
source.release();
const cache = readCache();
const script = new Script(text, { filename: file, cachedData: cache?.bytes });
cache?.release();
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
