import { rightResponse, textOf } from '../upstreams/chaos/right-response.js';
import type { CallHistory, ClientResponse, ProviderAttempt, RecordedUsage, Rule, Violation } from './call-history.js';
import { grouped } from './grouped.js';
import { ledgerFaults } from './check-ledger.js';
import { usageFaults } from './check-usage.js';

/** All that belongs to one request. */
export interface RequestHistory {
  readonly id: number;
  readonly response: ClientResponse;
  readonly attempts: readonly ProviderAttempt[];
  readonly records: readonly RecordedUsage[];
}

export type Fail = (rule: Rule, detail: string) => void;

/** A connection that was kept and gave no byte is replaced once in each attempt. */
const MOST_REPLAYS = 2;
const FINISHES: Readonly<Record<string, string>> = { content_filter: 'content filter', length: 'length' };

/** Holds a history to what must be true of each request, and of all together. */
export function checkHistory(history: CallHistory): Violation[] {
  const violations: Violation[] = [];
  const attempts = grouped(history.attempts, ({ id }) => id);
  const records = grouped(history.records, ({ id }) => id);
  for (const response of history.responses) {
    const { id } = response;
    const of = { id, response, attempts: attempts.get(id) ?? [], records: records.get(id) ?? [] };
    const fail: Fail = (rule, detail) => violations.push({ rule, id, detail });
    responseFaults(of, fail);
    attemptFaults(of, history.deployments, fail);
    usageFaults(of, history.price, fail);
  }
  const known = new Set(history.responses.map(({ id }) => id));
  for (const id of records.keys())
    if (!known.has(id)) violations.push({ rule: 'one record', id, detail: 'a record of a request that was not sent' });
  ledgerFaults(history, (rule, detail) => violations.push({ rule, id: undefined, detail }));
  return violations;
}

function responseFaults({ response, attempts }: RequestHistory, fail: Fail): void {
  const { id, kind, ending, texts, calls, finish, detail, isRaised } = response;
  const right = rightResponse({ id, kind });
  const whole = kind === 'tool' ? '' : textOf(right);
  if (ending === 'cut') fail('one ending', `neither finish nor error behind ${JSON.stringify(texts)}`);
  if (ending === 'malformed') fail('one ending', detail);
  // Of several choices one may have finished when another breaks.
  if (ending === 'error' && finish !== undefined && response.choices === 1)
    fail('one ending', `an error behind the finish ${finish}`);
  for (const text of texts) {
    if (!whole.startsWith(text)) fail('no wrong text', `${JSON.stringify(text)} instead of ${JSON.stringify(whole)}`);
  }
  if (ending === 'error' && response.isStream && isRaised === false)
    fail('library raises', 'no error for a stream that broke');
  if (ending !== 'whole') return;
  if (isRaised === true) fail('library raises', 'an error for a whole response');
  const end = FINISHES[finish ?? ''] ?? 'stop';
  if (!attempts.some((attempt) => attempt.end === end))
    fail('the end of its attempt', `${finish ?? 'no finish'}, which no provider has sent`);
  if (texts.length !== response.choices) fail('no truncated success', `${texts.length} of ${response.choices} choices`);
  // Each choice has an end of its own, of which `finish` is that of the first one.
  const isShort = attempts.some((attempt) => attempt.end !== undefined && attempt.end !== 'stop');
  if (end !== 'stop' || (response.choices > 1 && isShort)) return;
  if (texts.some((text) => text.length < whole.length)) fail('no truncated success', JSON.stringify(texts));
  if (kind === 'text') return;
  const [expected] = right.toolCalls;
  const isRight = calls.length === 1 && calls[0]?.name === expected?.name && sameJson(calls[0]?.input, expected?.input);
  if (!isRight) fail(calls.length === 0 ? 'no truncated success' : 'no wrong text', `calls ${JSON.stringify(calls)}`);
}

function sameJson(text: string | undefined, value: unknown): boolean {
  try {
    return JSON.stringify(JSON.parse(text ?? '')) === JSON.stringify(value);
  } catch {
    return false;
  }
}

function attemptFaults({ response, attempts, records }: RequestHistory, deployments: number, fail: Fail): void {
  for (const { provider, isWrongPrefill } of attempts)
    if (isWrongPrefill) fail('right text as prefill', `${provider} got another text than that of its response`);
  // Each deployment once, and once more where its stream broke. A refused prefill is sent again without it.
  const most = 2 * deployments;
  const last = records.filter(({ status }) => status !== 'retried');
  if (last.some((record) => record.attempts > most)) fail('bounded attempts', `${last[0]?.attempts ?? 0} recorded`);
  const sent = (most + MOST_REPLAYS) * response.choices;
  if (attempts.length > sent) fail('bounded attempts', `${attempts.length} requests to providers`);
}
