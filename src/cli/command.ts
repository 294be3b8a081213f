import type { ParseArgsConfig } from 'node:util';

/** The arguments of a command, checked against its options. */
export interface Arguments {
  /** Words that are no options. */
  readonly words: readonly string[];
  /** The last value of an option that takes one. */
  readonly text: (name: string) => string | undefined;
  /** All values of an option that may be repeated. */
  readonly list: (name: string) => readonly string[];
  readonly flag: (name: string) => boolean;
}

/** A command of `llm-gateway`. */
export interface Command {
  /** `keys create`: one word or two. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The text after the name, such as `--to <postgres://...>`. */
  readonly usage: string;
  /** Each option with what it means, as `--help` of the command prints them. */
  readonly options: Readonly<Record<string, OptionDescription>>;
  /** Longest number of words after the name. */
  readonly maxWords: number;
  /** @returns the exit code */
  run(given: Arguments): Promise<number>;
}

/** An option of a command, for its help text. */
export interface OptionDescription {
  /** The name of the value; absent if the option takes none. */
  readonly value?: string;
  readonly isRepeatable?: boolean;
  readonly meaning: string;
}

/** The command line is wrong. The message explains the fault, and the exit code is 2. */
export class UsageError extends Error {}

/** The options of a command as node:util reads them. */
export function parserOptions(options: Command['options']): NonNullable<ParseArgsConfig['options']> {
  return Object.fromEntries(
    Object.entries(options).map(([name, { value, isRepeatable }]) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const), multiple: isRepeatable ?? false },
    ]),
  );
}

/** Writes a line to standard output. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Writes a line to standard error. */
export function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}
