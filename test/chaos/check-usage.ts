import type { CallHistory, ProviderAttempt, RecordedUsage } from './call-history.js';
import type { Fail, RequestHistory } from './check-history.js';
import { grouped } from './grouped.js';

/** Of estimated tokens, how many must be there at least: those of a text are estimated by its length. */
const LEAST_SHARE = 0.5;
const LEAST_LESS = 8;
/** Faults in which a provider may have worked and billed, as far as the caller can know. */
const UNKNOWN = new Set(['silent', 'reset before headers', 'truncated JSON', 'reset after headers', 'slow first byte']);

interface Tokens {
  readonly prompt: number;
  readonly completion: number;
}

/** Holds the records of a request to what its providers billed. */
export function usageFaults(of: RequestHistory, price: CallHistory['price'], fail: Fail): void {
  recordFaults(of, fail);
  costFaults(of.records, price, fail);
  for (const [provider, records] of grouped(of.records, (record) => record.provider)) {
    const here = of.attempts.filter((attempt) => attempt.provider === provider);
    if (here.length === 0 && total(sumOf(records)) > 0)
      fail('record of an attempt', `${describe(records)} of ${provider}, which got no request`);
  }
  for (const [provider, attempts] of grouped(of.attempts, (attempt) => attempt.provider)) {
    providerFaults(of, provider, attempts, fail);
  }
  clientFaults(of, fail);
}

function recordFaults({ response, attempts, records }: RequestHistory, fail: Fail): void {
  const last = records.filter(({ status }) => status !== 'retried');
  if (last.length > 1) fail('one record', `${last.length} records of one request`);
  const [record] = last;
  if (record === undefined) {
    if (attempts.length > 0 && response.ending !== 'left')
      fail('one record', 'no record of a request that was sent on');
    return;
  }
  const { status } = record;
  if (response.ending === 'whole' && status !== 'succeeded') fail('one record', `${status}, but the client got all`);
  if (response.ending === 'error' && status !== 'failed') fail('one record', `${status}, but the client got an error`);
  if (record.attempts < new Set(attempts.map(({ provider }) => provider)).size)
    fail('attempts are recorded', `${record.attempts} of ${attempts.length}`);
}

function costFaults(records: readonly RecordedUsage[], price: CallHistory['price'], fail: Fail): void {
  for (const { basis, promptTokens, completionTokens, costNanos, isEstimated } of records) {
    if (isEstimated !== (basis !== 'reported')) fail('estimates are marked', `${basis}, estimated ${isEstimated}`);
    const cost = promptTokens * price.prompt + completionTokens * price.completion;
    if (cost !== costNanos) fail('exact cost', `${costNanos} instead of ${cost} of ${describe(records)}`);
  }
}

/** What one provider billed for a request, against what is recorded of it. */
function providerFaults(
  { response, records }: RequestHistory,
  provider: string,
  attempts: readonly ProviderAttempt[],
  fail: Fail,
): void {
  const here = records.filter((record) => record.provider === provider);
  const recorded = sumOf(here);
  const billing = attempts.filter(({ promptTokens, completionTokens }) => promptTokens + completionTokens > 0);
  const billed = sumOf(billing);
  const detail = `${describe(here)} of ${provider}, which billed ${total(billed)}: ${describe(attempts)}`;
  if (here.filter((record) => total(sumOf([record])) > 0).length > attempts.length)
    fail('record of an attempt', detail);
  if (attempts.some(({ isBroken }) => isBroken)) return;
  const isWorst = here.some(({ basis, status }) => basis === 'worst_case' && status !== 'succeeded');
  if (isWorst) {
    // One of several calls failed, or the response contradicts what was sent: the most that it may have cost is recorded.
    if (recorded.prompt < billed.prompt || recorded.completion < billed.completion) fail('usage as billed', detail);
    return;
  }
  const isKnown = billing.every(({ isReported }) => isReported) && !attempts.some(({ fault }) => UNKNOWN.has(fault));
  if (isKnown && response.ending !== 'left') {
    if (recorded.prompt !== billed.prompt || recorded.completion !== billed.completion) fail('usage as billed', detail);
    return;
  }
  const least = (tokens: number): number => tokens * LEAST_SHARE - LEAST_LESS;
  if (recorded.prompt < least(billed.prompt) || recorded.completion < least(billed.completion))
    fail('usage as billed', detail);
  const isExact = recorded.prompt === billed.prompt && recorded.completion === billed.completion;
  if (!isExact && here.length > 0 && !here.some(({ isEstimated }) => isEstimated) && billing.length > 0)
    fail('estimates are marked', detail);
}

/** A client gets the usage of its response. */
function clientFaults({ response, attempts }: RequestHistory, fail: Fail): void {
  const { ending, usage, choices, recovered } = response;
  if (ending !== 'whole' || choices > 1) return;
  const reported = attempts
    .filter(({ isReported }) => isReported)
    .sort((one, other) => one.order - other.order)
    .at(-1);
  if (reported === undefined) return;
  const detail = `the client gets ${JSON.stringify(usage)}: ${describe(attempts)}`;
  if (usage === undefined) fail('usage as billed', detail);
  else if (recovered === 0) {
    const isSame = usage.prompt === reported.promptTokens && usage.completion === reported.completionTokens;
    if (!isSame) fail('usage as billed', detail);
  } else if (usage.completion < reported.completionTokens || usage.prompt <= reported.promptTokens) {
    fail('usage as billed', detail);
  }
}

function sumOf(all: readonly { readonly promptTokens: number; readonly completionTokens: number }[]): Tokens {
  return {
    prompt: all.reduce((sum, { promptTokens }) => sum + promptTokens, 0),
    completion: all.reduce((sum, { completionTokens }) => sum + completionTokens, 0),
  };
}

function total({ prompt, completion }: Tokens): number {
  return prompt + completion;
}

function describe(all: readonly (RecordedUsage | ProviderAttempt)[]): string {
  return all
    .map((each) => {
      const what = 'fault' in each ? `${each.provider} ${each.fault}` : `${each.status} ${each.basis}`;
      return `[${what} ${each.promptTokens}+${each.completionTokens}]`;
    })
    .join(' ');
}
