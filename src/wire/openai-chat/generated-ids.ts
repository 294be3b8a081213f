import { randomUUID } from 'node:crypto';

/** An id for a completion whose upstream gave none. */
export function newCompletionId(): string {
  return `chatcmpl-${randomUUID().replaceAll('-', '')}`;
}

/** An id for a tool call whose upstream sent none; clients need it to send the result of the call. */
export function newToolCallId(): string {
  return `call_${randomUUID().replaceAll('-', '').slice(0, 24)}`;
}

/** Unix seconds; some servers give fractions or milliseconds, or 0, or nothing. */
export function createdSeconds(value: unknown, now: number): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) return Math.floor(now / 1000);
  return Math.floor(value > 100_000_000_000 ? value / 1000 : value);
}
