import { availableParallelism } from 'node:os';

/** More processes than cores of the largest machines win nothing, and each has its own connections to the database. */
const MOST = 64;

/**
 * What GATEWAY_PROCESSES asks for; 1 when it says nothing.
 *
 * @returns undefined when it is neither `auto` nor a whole number from 1 to 64
 */
export function readProcessCount(text: string | undefined): number | undefined {
  const value = text?.trim() ?? '';
  if (value === '') return 1;
  if (value === 'auto') return Math.min(MOST, availableParallelism());
  const count = /^\d{1,2}$/.test(value) ? Number(value) : 0;
  return count >= 1 && count <= MOST ? count : undefined;
}

/** Whether this start is one of several processes; a value that will not do is told of by loadConfig(). */
export function asksForSeveralProcesses(env: Readonly<Record<string, string | undefined>> = process.env): boolean {
  return (readProcessCount(env['GATEWAY_PROCESSES']) ?? 1) > 1;
}
