// Builds the console into dist/console: types of the API from openapi.json, a check of the console against them, then the pages.
// `--types` writes the types alone. A build of the same sources is taken from a cache.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = join(root, 'console');
const types = join(source, 'src/api/schema.ts');
/** Modules of the gateway that the console has as well. */
const FROM_GATEWAY = ['src/http/csv.ts', 'src/usage/report/sum-columns.ts'].map((path) => join(root, path));
const cache = join(root, 'node_modules/.cache/console');

/** @param {string} folder @returns {string[]} */
function filesOf(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesOf(path) : [path];
    })
    .filter((path) => path !== types)
    .sort();
}

function hashOfSources() {
  const hash = createHash('sha256');
  const paths = [
    ...filesOf(source),
    ...FROM_GATEWAY,
    join(root, 'openapi.json'),
    join(root, 'package-lock.json'),
    fileURLToPath(import.meta.url),
  ];
  for (const path of paths) hash.update(path.slice(root.length)).update('\0').update(readFileSync(path)).update('\0');
  return hash.digest('hex').slice(0, 32);
}

/** Writes the types of openapi.json, unless they are there already. */
export async function writeTypes() {
  const document = readFileSync(join(root, 'openapi.json'));
  const mark = `// Generated from openapi.json ${createHash('sha256').update(document).digest('hex')}. Do not edit.\n`;
  if (existsSync(types) && readFileSync(types, 'utf8').startsWith(mark)) return;
  const { default: generate, astToString } = await import('openapi-typescript');
  const tree = await generate(JSON.parse(document.toString()), { alphabetize: true, defaultNonNullable: false });
  const text = mark + astToString(tree);
  mkdirSync(dirname(types), { recursive: true });
  writeFileSync(`${types}.${process.pid}`, text);
  renameSync(`${types}.${process.pid}`, types);
}

/** @returns {Promise<void>} rejects when the console does not fit the API */
function checkTypes() {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [tsc, '--noEmit', '-p', join(source, 'tsconfig.json')], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error('the console does not fit the API of openapi.json, or has a type error'));
    });
  });
}

/**
 * A font that is not there in time is not used until the next page: text that changes its font later changes its lines, and moves
 * what is below. index.html loads the font of Latin text with the page, so that it is there.
 */
const fontsThatMoveNothing = {
  name: 'fonts-that-move-nothing',
  /** @param {unknown} _options @param {Record<string, { type: string, fileName: string, source?: string | Uint8Array }>} files */
  generateBundle(_options, files) {
    for (const file of Object.values(files)) {
      if (file.type !== 'asset' || !file.fileName.endsWith('.css')) continue;
      file.source = String(file.source).replaceAll(/font-display:\s*swap/g, 'font-display:optional');
    }
  },
};

/** @param {string} target */
async function bundle(target) {
  const [{ build }, { default: tailwind }] = await Promise.all([import('vite'), import('@tailwindcss/vite')]);
  await build({
    configFile: false,
    root: source,
    base: '/console/',
    logLevel: 'warn',
    plugins: [tailwind(), fontsThatMoveNothing],
    build: {
      outDir: target,
      emptyOutDir: true,
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      target: 'es2022',
      chunkSizeWarningLimit: 700,
      rollupOptions: {
        // Marks of server components in packages, which mean nothing here.
        onwarn: (warning, warn) => {
          if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
        },
      },
    },
  });
}

/** @param {string} dist the folder that gets `console/` */
export async function buildConsole(dist) {
  const target = join(dist, 'console');
  const cached = join(cache, hashOfSources());
  if (!existsSync(join(cached, 'index.html'))) {
    await writeTypes();
    const building = `${cached}.${process.pid}`;
    try {
      await Promise.all([checkTypes(), bundle(building)]);
      rmSync(cached, { recursive: true, force: true });
      for (const name of existsSync(cache) ? readdirSync(cache) : []) {
        if (join(cache, name) !== building) rmSync(join(cache, name), { recursive: true, force: true });
      }
      renameSync(building, cached);
    } finally {
      rmSync(building, { recursive: true, force: true });
    }
  }
  rmSync(target, { recursive: true, force: true });
  cpSync(cached, target, { recursive: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--types')) await writeTypes();
  else await buildConsole(join(root, 'dist'));
}
