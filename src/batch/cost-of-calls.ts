import type { UsageRecord } from '../usage/records/usage-record.entity.js';

/** What the calls of a task cost together, in billionths of a US dollar; null where the cost of one is not known. */
export function costOfCalls(usage: readonly UsageRecord[]): number | null {
  let sum = 0;
  for (const { costNanos } of usage) {
    if (costNanos === null) return null;
    sum += costNanos;
  }
  return sum;
}
