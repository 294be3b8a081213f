import { parseArgs } from 'node:util';
import { ConfigError } from '../config/config-error.js';
import { nearestName } from '../config/nearest-name.js';
import { BootError } from '../errors/boot-error.js';
import { describeError } from '../errors/describe-error.js';
import { GatewayError } from '../errors/gateway-error.js';
import { VERSION } from '../runtime/version.js';
import { complain, parserOptions, say, UsageError, type Arguments, type Command } from './command.js';
import { BACKUP } from './backup.js';
import { BATCH_COMMANDS } from './batch/batch-commands.js';
import { CHECK } from './check.js';
import { DOCTOR } from './doctor.js';
import { KEYS_EXPORT, KEYS_IMPORT, KEYS_PURGE } from './key-transfer.js';
import { KEYS_CREATE, KEYS_LIST, KEYS_REVOKE } from './keys.js';
import { MIGRATE } from './migrate.js';
import { MOVE } from './move.js';
import { START } from './start.js';

const COMMANDS: readonly Command[] = [
  START,
  CHECK,
  DOCTOR,
  MIGRATE,
  KEYS_CREATE,
  KEYS_LIST,
  KEYS_REVOKE,
  KEYS_EXPORT,
  KEYS_IMPORT,
  KEYS_PURGE,
  BACKUP,
  MOVE,
  ...BATCH_COMMANDS,
];
/** Exit code for a command line that cannot be understood. */
const EXIT_USAGE = 2;

/**
 * Runs one command of `llm-gateway`.
 *
 * @param words what follows the name of the program
 * @returns the exit code: 0 done, 1 failed, 2 misused
 */
export async function runCommandLine(words: readonly string[]): Promise<number> {
  const [first] = words;
  if (first === '--version' || first === '-v' || first === 'version') {
    say(VERSION);
    return 0;
  }
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    say(overview());
    return first === undefined ? EXIT_USAGE : 0;
  }
  try {
    const { command, rest } = find(words);
    if (rest.includes('--help') || rest.includes('-h')) {
      say(helpOf(command));
      return 0;
    }
    return await command.run(read(command, rest));
  } catch (error) {
    if (error instanceof UsageError) {
      complain(error.message);
      return EXIT_USAGE;
    }
    complain(failure(error));
    return 1;
  }
}

/** One line that can be acted on, as far as the error has one. */
function failure(error: unknown): string {
  if (error instanceof ConfigError || error instanceof GatewayError) return error.message;
  if (error instanceof BootError) return error.message.replace(/^llm-gateway cannot start: /, 'llm-gateway: ');
  return `llm-gateway failed: ${JSON.stringify(describeError(error))}`;
}

function find(words: readonly string[]): { command: Command; rest: readonly string[] } {
  const [first = '', second = ''] = words;
  const command = COMMANDS.find(({ name }) => name === first || name === `${first} ${second}`);
  if (command !== undefined) return { command, rest: words.slice(command.name.split(' ').length) };
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${first} `));
  if (group.length > 0) {
    const names = group.map(({ name }) => name).join(', ');
    throw new UsageError(`'${first}' needs one of: ${names}. See llm-gateway --help`);
  }
  const near = nearestName(
    first,
    COMMANDS.map(({ name }) => name),
  );
  const hint = near === undefined ? 'See llm-gateway --help' : `Did you mean ${near}?`;
  throw new UsageError(`There is no command '${first}'. ${hint}`);
}

function read(command: Command, rest: readonly string[]): Arguments {
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...rest], options: parserOptions(command.options), allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${misuse(command, error)} See llm-gateway ${command.name} --help`);
  }
  const { values, positionals } = parsed;
  if (positionals.length > command.maxWords) {
    throw new UsageError(
      `'${positionals[command.maxWords] ?? ''}' is too much. See llm-gateway ${command.name} --help`,
    );
  }
  const list = (name: string): readonly string[] =>
    [values[name] ?? []].flat().filter((value): value is string => typeof value === 'string');
  return {
    words: positionals,
    list,
    text: (name) => list(name).at(-1),
    flag: (name) => values[name] === true,
  };
}

function misuse(command: Command, error: unknown): string {
  const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : '';
  const unknown = /Unknown option '(-[^']*)'/.exec(message)?.[1];
  if (unknown === undefined) return message.replace(/\.?$/, '.');
  const names = Object.keys(command.options);
  const near = nearestName(unknown.replace(/^-+/, ''), names);
  return `There is no option ${unknown}.${near === undefined ? '' : ` Did you mean --${near}?`}`;
}

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  return [
    `llm-gateway ${VERSION}: one process in front of every model provider`,
    '',
    'Usage: llm-gateway <command> [options]',
    '',
    ...COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    '  <command> --help  says what a command takes',
    '  --version         prints the version',
    '',
    'The configuration comes from gateway.yaml in this folder and from the environment, for every command alike.',
  ].join('\n');
}

function helpOf({ name, summary, usage, options }: Command): string {
  const rows = Object.entries(options).map(([option, { value, meaning }]) => [
    `  --${option}${value === undefined ? '' : ` <${value}>`}`,
    meaning,
  ]);
  const width = Math.max(0, ...rows.map(([left = '']) => left.length));
  return [
    summary,
    '',
    `Usage: llm-gateway ${name} ${usage}`.trimEnd(),
    ...(rows.length === 0 ? [] : ['', ...rows.map(([left = '', meaning = '']) => `${left.padEnd(width)}  ${meaning}`)]),
  ].join('\n');
}
