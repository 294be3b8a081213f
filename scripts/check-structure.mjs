/**
 * `npm run check:structure`: holds the floors of docs/architecture.md. A folder of src/ imports from its own floor or from
 * one below it, never from one above, and no two folders import each other, directly or through others. Type imports count.
 * Prints every import that breaks this, and ends with 1 when there is one.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** From the lowest to the highest. `.` is the composition root: the files directly in src/. */
const FLOORS = [
  ['runtime'],
  // Facts about providers. They import nothing but each other, and the configuration is read by them.
  ['providers/definitions'],
  [
    'cluster',
    'config',
    'database',
    'deliveries',
    'errors',
    'http',
    'lifecycle',
    'metrics',
    'openapi',
    'redis',
    'webhooks',
  ],
  ['auth', 'operations', 'wire'],
  ['limits', 'pricing', 'providers', 'routing'],
  ['accounting', 'audit', 'calls', 'request-log', 'telemetry', 'usage'],
  ['engine'],
  [
    'admin',
    'audio',
    'batch',
    'chat',
    'completions',
    'console',
    'embeddings',
    'files',
    'gemini',
    'health',
    'images',
    'messages',
    'model-endpoint',
    'models',
    'moderations',
    'rerank',
    'responses',
  ],
  ['cli', '.'],
];
const IMPORT = /\b(?:from|import\()\s*'(\.[^']+)'/g;

/** @param {string} folder @returns {string[]} its source files, with those of its folders; tests are left out */
function sourcesOf(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourcesOf(path);
    return /(?<!\.spec)\.ts$/.test(path) ? [path] : [];
  });
}

/** Folders within a folder that have a floor of their own. */
const INNER_FOLDERS = FLOORS.flat().filter((name) => name.includes('/'));

/** @param {string} path of a file @returns {string} the folder of src/ that it is in, `.` for src/ itself */
function folderOf(path) {
  const inner = INNER_FOLDERS.find((name) => path.startsWith(`src/${name}/`));
  if (inner !== undefined) return inner;
  const parts = path.split('/');
  return parts.length === 2 ? '.' : (parts[1] ?? '.');
}

/**
 * @param {readonly { from: string, to: string }[]} imports files, as paths that begin with `src/`
 * @param {readonly (readonly string[])[]} floors
 * @returns {{ unknown: string[], upward: string[], cycles: string[] }}
 */
export function findFaults(imports, floors = FLOORS) {
  const floorOf = new Map(floors.flatMap((names, floor) => names.map((name) => /** @type {const} */ ([name, floor]))));
  const used = imports.filter(({ from, to }) => folderOf(from) !== folderOf(to));
  const folders = new Set(imports.flatMap(({ from, to }) => [folderOf(from), folderOf(to)]));
  /** @type {Map<string, Set<string>>} */
  const below = new Map();
  for (const { from, to } of used) {
    below.set(folderOf(from), (below.get(folderOf(from)) ?? new Set()).add(folderOf(to)));
  }
  /** @param {string} start @param {string} end @param {Set<string>} seen @returns {boolean} */
  const leadsTo = (start, end, seen = new Set()) => {
    if (start === end) return true;
    if (seen.has(start)) return false;
    seen.add(start);
    return [...(below.get(start) ?? [])].some((next) => leadsTo(next, end, seen));
  };
  /** @param {{ from: string, to: string }} edge */
  const print = ({ from, to }) => `${from} -> ${to}`;
  /** @param {string} path */
  const floor = (path) => floorOf.get(folderOf(path)) ?? -1;
  return {
    unknown: [...folders].filter((folder) => !floorOf.has(folder)),
    upward: used.filter(({ from, to }) => floor(to) > floor(from)).map(print),
    cycles: used.filter(({ from, to }) => leadsTo(folderOf(to), folderOf(from))).map(print),
  };
}

/** @returns {{ from: string, to: string }[]} every import between files of src/ */
function importsOf() {
  return sourcesOf('src').flatMap((from) =>
    [...readFileSync(from, 'utf8').matchAll(IMPORT)]
      .map(([, path]) => ({ from, to: join(dirname(from), path ?? '').replace(/\.js$/, '.ts') }))
      .filter(({ to }) => to.startsWith('src/')),
  );
}

if (process.argv[1] === import.meta.filename || process.argv[1]?.endsWith('check-structure.mjs') === true) {
  const imports = importsOf();
  const { unknown, upward, cycles } = findFaults(imports);
  for (const folder of unknown) console.log(`src/${folder} has no floor: list it in scripts/check-structure.mjs`);
  for (const edge of upward) console.log(`upward: ${edge}`);
  for (const edge of cycles) console.log(`cycle: ${edge}`);
  console.log(`${imports.length} imports, ${upward.length} upward, ${cycles.length} in cycles between folders`);
  if (unknown.length + upward.length + cycles.length > 0) process.exitCode = 1;
}
