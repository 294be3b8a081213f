import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { noteProcess } from '../fixtures/started-processes.mjs';

const BIN = new URL('../../bin/llm-gateway.mjs', import.meta.url).pathname;

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, with no environment but the one given. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { cwd, env = {} }: { cwd: string; env?: Readonly<Record<string, string>> },
): Promise<CommandResult> {
  const child = spawn(program, args, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
  });
  noteProcess(child);
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  await once(child, 'close');
  return { code: child.exitCode, ...output };
}

/** Runs `llm-gateway` of this build in a folder. */
export function runGatewayCommand(
  words: readonly string[],
  options: { cwd: string; env?: Readonly<Record<string, string>> },
): Promise<CommandResult> {
  return runProgram(process.execPath, [BIN, ...words], options);
}
