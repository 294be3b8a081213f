import { availableParallelism } from 'node:os';

/** Above the cores of large machines. Each process has its own connections to the database. */
export const MAX_PROCESSES = 64;

/**
 * The number of processes that GATEWAY_PROCESSES sets; 1 when it is unset.
 *
 * @returns undefined when the text is neither `auto` nor a whole number from 1 to 64
 */
export function readProcessCount(text: string | undefined): number | undefined {
  const value = text?.trim() ?? '';
  if (value === '') return 1;
  if (value === 'auto') return Math.min(MAX_PROCESSES, availableParallelism());
  const count = /^\d{1,2}$/.test(value) ? Number(value) : 0;
  return count >= 1 && count <= MAX_PROCESSES ? count : undefined;
}

/** Whether this start is one of several processes; loadConfig() reports a value that is wrong. */
export function asksForSeveralProcesses(env: Readonly<Record<string, string | undefined>> = process.env): boolean {
  return (readProcessCount(env['GATEWAY_PROCESSES']) ?? 1) > 1;
}
