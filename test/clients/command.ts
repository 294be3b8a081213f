import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { noteProcess } from '../fixtures/started-processes.mjs';

const BIN = new URL('../../bin/llm-gateway.mjs', import.meta.url).pathname;

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where a program runs, and what it gets. */
export interface CommandOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input; without it there is nothing to read. */
  readonly input?: string | Buffer;
}

/** Runs a program to its end, with no environment but the one given. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { cwd, env = {}, input }: CommandOptions,
): Promise<CommandResult> {
  const child = spawn(program, args, {
    cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
  });
  noteProcess(child);
  // A program that has enough of it ends before its end.
  child.stdin.on('error', () => undefined).end(input);
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  await once(child, 'close');
  return { code: child.exitCode, ...output };
}

/** Runs `llm-gateway` of this build in a folder. */
export function runGatewayCommand(words: readonly string[], options: CommandOptions): Promise<CommandResult> {
  return runProgram(process.execPath, [BIN, ...words], options);
}
