#!/usr/bin/env node
// Builds into dist/: the sources under dist/src, so that ormconfig and migrations keep their relative paths, the packages
// that they import under dist/node_modules, the entry dist/main.js, and the console under dist/console. `--if-needed` does nothing when dist is newer than every source, or where there are no sources.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const SOURCES = [
  'src',
  'migrations',
  'ormconfig.ts',
  'nest-cli.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'package.json',
  'package-lock.json',
  'scripts/bundle.mjs',
  'scripts/code-cache.mjs',
  'scripts/load-packages.mjs',
  'scripts/build-console.mjs',
  'console',
  'openapi.json',
];
/** Options of Node.js that starts use: `node dist/main.js`, and `npm start` and the image. V8 has a code cache for each. */
const NODE_OPTIONS = [[], ['--max-semi-space-size=4']];
const LOCK = join(root, 'node_modules/.build-lock');

function newestChange(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  // Types that the build of the console writes itself are no source.
  return readdirSync(path)
    .filter((name) => join(path, name) !== join(root, 'console/src/api/schema.ts'))
    .reduce((newest, name) => Math.max(newest, newestChange(join(path, name))), 0);
}

function isNeeded() {
  if (!existsSync(join(root, 'src')) || !existsSync(join(root, 'node_modules/@nestjs/cli'))) return false;
  const entry = join(root, 'dist/main.js');
  if (!existsSync(entry)) return true;
  const builtAt = statSync(entry).mtimeMs;
  return SOURCES.some((source) => newestChange(join(root, source)) > builtAt);
}

/** Two commands at once must not build over each other; a lock whose process is gone is taken over. */
function lock() {
  for (let waited = 0; waited < 120_000; waited += 100) {
    try {
      mkdirSync(LOCK);
      writeFileSync(join(LOCK, 'pid'), String(process.pid));
      return;
    } catch {
      let owner = 0;
      try {
        owner = Number(readFileSync(join(LOCK, 'pid'), 'utf8'));
        process.kill(owner, 0);
      } catch (error) {
        if (error.code === 'ESRCH') rmSync(LOCK, { recursive: true, force: true });
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  }
  throw new Error(`another build has held ${LOCK} for two minutes; remove that folder if none is running`);
}

async function build() {
  const started = performance.now();
  const cli = join(root, 'node_modules/@nestjs/cli/bin/nest.js');
  const { status } = spawnSync(process.execPath, [cli, 'build'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) process.exit(status ?? 1);
  const { bundleApplication, bundleDependencies } = await import('./bundle.mjs');
  await bundleDependencies(join(root, 'dist'));
  await bundleApplication(join(root, 'dist'));
  for (const options of NODE_OPTIONS) {
    const args = [...options, join(root, 'scripts/code-cache.mjs'), join(root, 'dist')];
    const written = spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    if (written.status !== 0) console.error('there is no code cache, so a start will compile the packages again');
  }
  const { buildConsole } = await import('./build-console.mjs');
  await buildConsole(join(root, 'dist'));
  console.error(`built in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

const ifNeeded = process.argv.includes('--if-needed');
if (!ifNeeded || isNeeded()) {
  lock();
  try {
    if (!ifNeeded || isNeeded()) await build();
  } finally {
    rmSync(LOCK, { recursive: true, force: true });
  }
}
