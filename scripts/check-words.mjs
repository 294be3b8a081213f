/**
 * `npm run check:words`: holds the plain language of the product. Each word here once stood for several things or hid who does
 * what, and has a replacement. Looks at comments, texts and names, which are split at their capitals, of the sources, tests,
 * scripts and pages. Words that only names must not have, and names of constants without a unit, are looked for in declarations and
 * in names of files. Prints file, line, word and replacement of every use, and ends with 1 when there is one.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {{ readonly pattern: RegExp, readonly use: string }} Word */
/** @typedef {{ readonly file: string, readonly phrase: string, readonly reason: string }} Exception */

const ROOTS = ['src', 'test', 'scripts', 'bench', 'docs', 'README.md', 'CONTRIBUTING.md'];
const EXTENSIONS = /\.(?:ts|mjs|md|sh)$/;
/** Generated files, and those that have to name the words. */
const LEFT_OUT = new Set(['test/clients/generated', 'scripts/check-words.mjs', 'scripts/check-words.spec.ts']);

/** @type {readonly (readonly [words: string, use: string])[]} expressions for words in lower case */
const LIST = [
  ['(?:no|some|any)body|whoever', 'the subject: the client, the caller, the process'],
  ['whatever', 'any, everything that'],
  ['mend(?:s|ed|ing)?', 'fix, correct'],
  ['told|tells?|telling', 'notify, send, report, distinguish'],
  ['hears?|heard', 'receive, notice'],
  ['astray|amiss', 'say what is wrong'],
  ['siblings?', 'peer'],
  ['dearest', 'most expensive'],
  ['under way', 'in flight, in progress'],
  ['patien(?:ce|t|tly)', 'timeout, wait'],
  ['believe[ds]?', 'cached, trusted'],
  ['bells?|rings?|rang|rung|ringing', 'notify, wake-up'],
  ['for ever', 'forever, without end'],
  ['sets? aside', 'reserve; quarantine for rows that the database refuses'],
  ['(?:gives?|given|giving) back', 'release, return, requeue'],
  ['(?:breaks?|broke|broken|breaking) off', 'abort, end early'],
  ['(?:gives?|given|giving|gave) up', 'abandon, drop, close'],
  ['news', 'message, broadcast, event'],
  ['lessons?', 'say what is counted'],
  ['in vain', 'without success'],
  ['dealt out', 'distribute'],
  ['bequeath(?:s|ed)?|bury|buried|roster', 'hand over, remove, set'],
];

/**
 * Words that declared names and names of files must not have; texts may.
 *
 * @type {readonly (readonly [words: string, use: string])[]}
 */
const NAMES = [['(?:un)?answer(?:s|ed|ing)?', 'response, respond']];
/** Beginnings of names of constants that MIN and MAX say in one way. */
const EXTREMES = /^(?:MOST|LONGEST|LARGEST|HIGHEST|BIGGEST|SHORTEST|FEWEST|LEAST|SMALLEST|LOWEST)_/;
/** Ends of names of constants with a number that leave the unit open. */
const NO_UNIT =
  /(?:^|_)(?:TIMEOUT|DELAY|INTERVAL|LEASE|GRACE|TTL|LIFETIME|DEADLINE|PAUSE|WAIT|SIZE|LENGTH|BODY|BUFFER|S)$/;
/** Where names are checked; a test may name things as its subject does. */
const NAMED = /^(?:src|scripts|bench)\//;
const DECLARATION =
  /\b(?:(?:const|let|function|class|interface|type|enum|readonly|private|protected|static|async)\s+)+([A-Za-z_$][\w$]*)/g;
const NUMBER_CONSTANT = /\bconst ([A-Z][A-Z\d_]*)\b[^=]*= *[-\d(]/g;
/** @type {readonly Word[]} */
export const WORDS = LIST.map(([words, use]) => ({ pattern: new RegExp(`\\b(?:${words})\\b`, 'g'), use }));

/** @type {readonly Word[]} */
const NAME_WORDS = NAMES.map(([words, use]) => ({ pattern: new RegExp(`\\b(?:${words})\\b`, 'g'), use }));

/** @type {readonly Exception[]} */
const EXCEPTIONS = [
  ...['normalise-completion.ts', 'stream-normaliser.ts'].map((name) => ({
    file: `src/wire/openai-chat/${name}`,
    phrase: 'The upstream provider broke off the generation.',
    reason: 'text of an error that clients get',
  })),
  ...['sandbox-provider.ts', 'media/sandbox-media.ts'].map((name) => ({
    file: `src/providers/sandbox/${name}`,
    phrase: 'The sandbox model cut always breaks off half-way.',
    reason: 'text of an error that clients get',
  })),
  {
    file: 'src/providers/transport/transport-error.ts',
    phrase: 'The upstream provider broke off in the middle of its answer.',
    reason: 'text of an error that clients get',
  },
  {
    file: 'src/limits/limit-refusals.ts',
    phrase: 'is set aside for requests under way.',
    reason: 'text of an error that clients get',
  },
  {
    file: 'src/batch/batch-sweeper.ts',
    phrase: 'The task was given up: the processes that ran it ended again and again.',
    reason: 'text of an error that clients get',
  },
  {
    file: 'src/batch/queue/bull-batch-queue.ts',
    phrase: "'ring'",
    reason: 'name of a job in Redis, which processes of several versions share',
  },
  ...[
    'src/usage/records/usage-recorder.service.ts',
    'test/suites/hostile-responses.e2e-spec.ts',
    'docs/observability.md',
    'docs/usage.md',
  ].map((file) => ({ file, phrase: 'gateway_usage_records_set_aside_total', reason: 'name of a metric' })),
];

/** @param {string} path of a file or folder @returns {string[]} files to check */
function filesOf(path) {
  if (LEFT_OUT.has(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => {
    const inner = join(path, name);
    return statSync(inner).isDirectory() || EXTENSIONS.test(name) ? filesOf(inner) : [];
  });
}

/** @param {string} text @returns {string} its words in lower case, names split at capitals and underscores */
function wordsOf(text) {
  return text
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/[_\s]+/g, ' ')
    .toLowerCase();
}

/**
 * @param {string} file
 * @param {string} text of the file
 * @param {readonly Exception[]} exceptions
 * @param {readonly Word[]} words
 * @returns {string[]} one line for each use
 */
export function findUses(file, text, exceptions = EXCEPTIONS, words = WORDS) {
  const allowed = exceptions.filter((exception) => exception.file === file).map(({ phrase }) => phrase);
  return text.split('\n').flatMap((line, index) => {
    const checked = wordsOf(allowed.reduce((rest, phrase) => rest.replaceAll(phrase, ' '), line));
    return words.flatMap(({ pattern, use }) =>
      [...checked.matchAll(pattern)].map(([word]) => `${file}:${index + 1}: "${word}": use ${use}`),
    );
  });
}

/**
 * @param {string} file
 * @param {string} text of the file
 * @returns {string[]} one line for each declared name, or name of the file, that has a replacement
 */
export function findNames(file, text) {
  const base = file.slice(file.lastIndexOf('/') + 1);
  const ofFile = NAME_WORDS.flatMap(({ pattern, use }) =>
    [...wordsOf(base).matchAll(pattern)].map(([word]) => `${file}: "${word}" in the name of the file: use ${use}`),
  );
  if (!NAMED.test(file) || file.endsWith('.spec.ts') || !/\.(?:ts|mjs)$/.test(file)) return ofFile;
  const ofText = text.split('\n').flatMap((line, index) => {
    if (/^\s*(?:\*|\/\/|\/\*)/.test(line)) return [];
    const place = `${file}:${index + 1}`;
    const names = [...line.matchAll(DECLARATION)].map(([, name]) => name);
    const numbers = [...line.matchAll(NUMBER_CONSTANT)].map(([, name]) => name);
    return [
      ...names.flatMap((name) =>
        NAME_WORDS.flatMap(({ pattern, use }) =>
          [...wordsOf(name).matchAll(pattern)].map(([word]) => `${place}: "${word}" in ${name}: use ${use}`),
        ),
      ),
      ...numbers.filter((name) => EXTREMES.test(name)).map((name) => `${place}: ${name}: use MIN_ or MAX_`),
      ...numbers.filter((name) => NO_UNIT.test(name)).map((name) => `${place}: ${name}: end it with a unit`),
    ];
  });
  return [...ofFile, ...ofText];
}

/** @param {readonly Exception[]} exceptions @param {(file: string) => string} read @returns {string[]} those that allow nothing */
export function uselessExceptions(exceptions, read) {
  return exceptions
    .filter(({ file, phrase }) => !read(file).includes(phrase))
    .map(({ file, phrase }) => `${file}: ${phrase}`);
}

if (process.argv[1]?.endsWith('check-words.mjs') === true) {
  const texts = new Map(ROOTS.flatMap(filesOf).map((file) => [file, readFileSync(file, 'utf8')]));
  const uses = [...texts].flatMap(([file, text]) => [...findUses(file, text), ...findNames(file, text)]);
  const useless = uselessExceptions(EXCEPTIONS, (file) => texts.get(file) ?? '');
  for (const use of uses) console.error(use);
  for (const exception of useless) console.error(`exception without a use: ${exception}`);
  console.log(`${uses.length} uses of words and names that have a replacement`);
  if (uses.length + useless.length > 0) process.exitCode = 1;
}
