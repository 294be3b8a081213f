import type { CallHistory, RecordedUsage } from './call-history.js';
import type { Fail } from './check-history.js';

/** Rounding of dollars in metrics, which are sums of floating-point numbers; in billionths of a dollar. */
const ROUNDING_NANOS = 1_000;

/** Holds the sums of the gateway to its records, and to a machine at rest. */
export function ledgerFaults({ ledger, records }: CallHistory, fail: Fail): void {
  const cost = sumOf(records, 'costNanos');
  if (ledger.spentNanos !== cost) fail('budget is the sum', `${ledger.spentNanos} instead of ${cost}`);
  if (ledger.requestsInFlight !== 0) fail('nothing is left', `${ledger.requestsInFlight} requests in flight`);
  if (ledger.callsAtDeployments !== 0) fail('nothing is left', `${ledger.callsAtDeployments} calls at deployments`);
  if (ledger.usableSlots !== ledger.slots) fail('nothing is left', `${ledger.usableSlots} of ${ledger.slots} slots`);
  const reported = records.filter(({ basis }) => basis === 'reported');
  // Of a stream that broke or whose client left, metrics count an estimate of what came, and its record the most that it may be. Of an
  // attempt that was retried without content they count nothing.
  const counted = records.filter(({ basis, status }) => basis !== 'worst_case' || status !== 'retried');
  const expectBetween = (name: string, value: number, field: Field, rounding: number): void => {
    const [least, most] = [sumOf(reported, field), sumOf(counted, field)];
    if (value < least - rounding || value > most + rounding)
      fail('metrics are the sum', `${name} ${value} instead of ${least} to ${most}`);
  };
  expectBetween('prompt tokens', ledger.tokens.prompt, 'promptTokens', 0);
  expectBetween('completion tokens', ledger.tokens.completion, 'completionTokens', 0);
  expectBetween('cost', ledger.costNanos, 'costNanos', ROUNDING_NANOS);
  const retried = records.filter(({ status, basis }) => status === 'retried' && basis !== 'worst_case');
  const least =
    sumOf(
      reported.filter(({ status }) => status !== 'retried'),
      'completionTokens',
    ) + sumOf(retried, 'completionTokens');
  if (ledger.tokens.completion < least)
    fail('metrics are the sum', `completion tokens ${ledger.tokens.completion} without those of attempts that broke`);
}

type Field = 'promptTokens' | 'completionTokens' | 'costNanos';

function sumOf(records: readonly RecordedUsage[], field: Field): number {
  return records.reduce((sum, record) => sum + record[field], 0);
}
