import { rightResponse, textOf } from '../upstreams/chaos/right-response.js';
import type { CallHistory, ClientResponse, ProviderAttempt, RecordedUsage, Rule } from './call-history.js';
import { checkHistory } from './check-history.js';

const PRICE = { prompt: 1_000, completion: 2_000 };
const SLOTS = 8;
const TEXT = textOf(rightResponse({ id: 1, kind: 'text' }));
const RIGHT = rightResponse({ id: 1, kind: 'text' }).usage;

function attempt(fields: Partial<ProviderAttempt> = {}): ProviderAttempt {
  return {
    id: 1,
    provider: 'a',
    order: 0,
    fault: 'none',
    isStream: true,
    isWrongPrefill: false,
    promptTokens: RIGHT.prompt,
    completionTokens: RIGHT.completion,
    isReported: true,
    isBroken: false,
    end: 'stop',
    ...fields,
  };
}

function response(fields: Partial<ClientResponse> = {}): ClientResponse {
  return {
    id: 1,
    kind: 'text',
    format: 'chat',
    isStream: true,
    choices: 1,
    status: 200,
    ending: 'whole',
    detail: '',
    texts: [TEXT],
    calls: [],
    finish: 'stop',
    usage: { prompt: RIGHT.prompt, completion: RIGHT.completion },
    recovered: 0,
    isRaised: false,
    ...fields,
  };
}

function record(fields: Partial<RecordedUsage> = {}): RecordedUsage {
  const { promptTokens = RIGHT.prompt, completionTokens = RIGHT.completion } = fields;
  return {
    id: 1,
    provider: 'a',
    status: 'succeeded',
    attempts: 1,
    promptTokens,
    completionTokens,
    isEstimated: false,
    basis: 'reported',
    costNanos: promptTokens * PRICE.prompt + completionTokens * PRICE.completion,
    ...fields,
  };
}

/** A history whose sums are those of its records. */
function history(parts: Partial<CallHistory> = {}, ledger: Partial<CallHistory['ledger']> = {}): CallHistory {
  const { records = [record()] } = parts;
  const sum = (field: 'promptTokens' | 'completionTokens' | 'costNanos'): number =>
    records.reduce((total, each) => total + (each.basis === 'worst_case' ? 0 : each[field]), 0);
  return {
    attempts: [attempt()],
    responses: [response()],
    records,
    deployments: 3,
    price: PRICE,
    ledger: {
      spentNanos: records.reduce((total, { costNanos }) => total + costNanos, 0),
      requestsInFlight: 0,
      callsAtDeployments: 0,
      slots: SLOTS,
      usableSlots: SLOTS,
      tokens: { prompt: sum('promptTokens'), completion: sum('completionTokens') },
      costNanos: sum('costNanos'),
      ...ledger,
    },
    ...parts,
  };
}

const CUT = attempt({ fault: 'cut at any byte', completionTokens: 10, isReported: false, end: undefined });
const ERROR = response({
  ending: 'error',
  texts: [TEXT.slice(0, 9)],
  finish: undefined,
  usage: undefined,
  isRaised: true,
});
const FAILED = record({ status: 'failed', basis: 'worst_case', isEstimated: true, completionTokens: 500 });
const RETRIED = record({ status: 'retried', basis: 'estimated', isEstimated: true, completionTokens: 9 });
const OTHER = { provider: 'b', attempts: 2 };
const RECOVERED: Partial<CallHistory> = {
  attempts: [CUT, attempt({ provider: 'b' })],
  responses: [response({ recovered: 1, usage: { prompt: 2 * RIGHT.prompt, completion: 9 + RIGHT.completion } })],
  records: [RETRIED, record(OTHER)],
};
const TOOL = rightResponse({ id: 1, kind: 'tool' });
const CALLED: Partial<ClientResponse> = {
  kind: 'tool',
  texts: [''],
  calls: TOOL.toolCalls.map(({ name, input }) => ({ name, input: JSON.stringify(input) })),
  finish: 'tool_calls',
};

describe('the checker of histories', () => {
  it.each<[string, CallHistory]>([
    ['a whole response', history()],
    ['an error behind a part of the text', history({ attempts: [CUT], responses: [ERROR], records: [FAILED] })],
    ['a stream that another deployment went on with', history(RECOVERED)],
    [
      'a response that its limit ended',
      history({
        attempts: [attempt({ end: 'length' })],
        responses: [response({ finish: 'length', texts: [TEXT.slice(0, 5)] })],
      }),
    ],
    [
      'a client that left',
      history({
        attempts: [CUT],
        responses: [{ ...ERROR, ending: 'left', isRaised: undefined }],
        records: [{ ...FAILED, status: 'abandoned' }],
      }),
    ],
    [
      'a request that reached no provider',
      history({ attempts: [], responses: [{ ...ERROR, status: 503, isStream: false }], records: [] }),
    ],
    ['a call of a tool', history({ responses: [response(CALLED)] })],
  ])('has nothing against %s', (_what, given) => {
    expect(checkHistory(given)).toEqual([]);
  });

  it.each<[Rule, string, CallHistory]>([
    [
      'no truncated success',
      'a text without its end',
      history({ responses: [response({ texts: [TEXT.slice(0, -1)] })] }),
    ],
    ['no truncated success', 'one choice of two', history({ responses: [response({ choices: 2 })] })],
    ['no truncated success', 'no call of a tool', history({ responses: [response({ ...CALLED, calls: [] })] })],
    [
      'no wrong text',
      'a lost token',
      history({ responses: [response({ texts: [TEXT.slice(0, 4) + TEXT.slice(8)] })] }),
    ],
    [
      'no wrong text',
      'a repeated token',
      history({ responses: [response({ texts: [TEXT.slice(0, 8) + TEXT.slice(4)] })] }),
    ],
    ['no wrong text', 'an invented token', history({ responses: [response({ texts: [`${TEXT} more`] })] })],
    [
      'no wrong text',
      'a wrong part before an error',
      history({ attempts: [CUT], responses: [{ ...ERROR, texts: ['zzz'] }], records: [FAILED] }),
    ],
    [
      'no wrong text',
      'another argument of a tool',
      history({ responses: [response({ ...CALLED, calls: [{ name: 'get_time', input: '{}' }] })] }),
    ],
    ['one ending', 'neither finish nor error', history({ responses: [response({ ending: 'cut' })] })],
    [
      'one ending',
      'two of them',
      history({ responses: [response({ ending: 'malformed', detail: 'an event behind the end' })] }),
    ],
    [
      'one ending',
      'an error behind the finish',
      history({ attempts: [CUT], responses: [{ ...ERROR, finish: 'stop' }], records: [FAILED] }),
    ],
    [
      'the end of its attempt',
      'a finish that no provider sent',
      history({ attempts: [CUT], records: [record({ basis: 'estimated', isEstimated: true })] }),
    ],
    ['the end of its attempt', 'another reason', history({ responses: [response({ finish: 'content_filter' })] })],
    ['right text as prefill', 'another text', history({ attempts: [attempt({ isWrongPrefill: true })] })],
    [
      'bounded attempts',
      'too many requests',
      history({
        attempts: Array.from({ length: 9 }, (_, at) =>
          attempt(
            at === 0 ? {} : { promptTokens: 0, completionTokens: 0, isReported: false, end: undefined, fault: '500' },
          ),
        ),
      }),
    ],
    ['bounded attempts', 'too many recorded', history({ records: [record({ attempts: 7 })] })],
    ['one record', 'none', history({ records: [] })],
    ['one record', 'two', history({ records: [record(), record({ promptTokens: 0, completionTokens: 0 })] })],
    ['one record', 'failed, although the client got all', history({ records: [record({ status: 'failed' })] })],
    [
      'one record',
      'succeeded, although the client got an error',
      history({ attempts: [CUT], responses: [ERROR], records: [{ ...FAILED, status: 'succeeded' }] }),
    ],
    ['one record', 'of a request that no client sent', history({ records: [record(), record({ id: 2 })] })],
    [
      'record of an attempt',
      'of a provider that got no request',
      history({ records: [record({ ...OTHER, attempts: 1 })] }),
    ],
    [
      'record of an attempt',
      'one attempt twice',
      history({ ...RECOVERED, records: [RETRIED, RETRIED, record(OTHER)] }),
    ],
    [
      'attempts are recorded',
      'fewer than there were',
      history({ ...RECOVERED, records: [RETRIED, record({ provider: 'b' })] }),
    ],
    [
      'usage as billed',
      'tokens that the provider did not bill',
      history({ records: [record({ completionTokens: RIGHT.completion + 1 })] }),
    ],
    [
      'usage as billed',
      'no record of the attempt that broke',
      history({
        ...RECOVERED,
        attempts: [{ ...CUT, completionTokens: 30 }, attempt({ provider: 'b' })],
        records: [record(OTHER)],
      }),
    ],
    ['usage as billed', 'a response without usage', history({ responses: [response({ usage: undefined })] })],
    [
      'usage as billed',
      'a client that gets too low a count',
      history({ ...RECOVERED, responses: [response({ recovered: 1 })] }),
    ],
    [
      'estimates are marked',
      'an estimate as a report',
      history({ ...RECOVERED, records: [{ ...RETRIED, basis: 'reported', isEstimated: false }, record(OTHER)] }),
    ],
    ['estimates are marked', 'a basis that disagrees', history({ records: [record({ isEstimated: true })] })],
    ['exact cost', 'another price', history({ records: [record({ costNanos: 1 })] })],
    ['budget is the sum', 'one call more', history({}, { spentNanos: 1 })],
    ['nothing is left', 'a request', history({}, { requestsInFlight: 1 })],
    ['nothing is left', 'a call', history({}, { callsAtDeployments: 1 })],
    ['nothing is left', 'a slot', history({}, { usableSlots: SLOTS - 1 })],
    ['metrics are the sum', 'tokens', history({}, { tokens: { prompt: 1, completion: RIGHT.completion } })],
    ['metrics are the sum', 'cost', history({}, { costNanos: 5_000_000 })],
    [
      'metrics are the sum',
      'attempts that broke',
      history(RECOVERED, { tokens: { prompt: RIGHT.prompt, completion: RIGHT.completion } }),
    ],
    [
      'library raises',
      'nothing where a stream broke',
      history({ attempts: [CUT], responses: [{ ...ERROR, isRaised: false }], records: [FAILED] }),
    ],
    ['library raises', 'an error for a whole response', history({ responses: [response({ isRaised: true })] })],
  ])('finds against "%s": %s', (rule, _what, given) => {
    expect(checkHistory(given).map((violation) => violation.rule)).toContain(rule);
  });
});
