import { chunk, EngineBench, REQUEST } from '../../test/fixtures/engine-bench.js';
import { CallEvents } from '../calls/call-events.js';
import type { HookedCall, ShortCircuit } from '../calls/call-hook.js';
import { invalidRequest } from '../errors/gateway-error.js';
import type { CostEstimator } from '../limits/cost-estimator.js';
import type { ChatCompletion } from '../operations/chat/chat-completion.js';
import { CHAT } from '../operations/chat/chat-operation.js';
import type { OperationName } from '../operations/operation-types.js';
import type { StreamedChunk } from '../operations/chat/preserialized-chunk.js';
import type { Pricing } from '../pricing/pricing.service.js';
import type { Routing } from '../routing/routing.service.js';
import type { UsageRecord } from '../usage/records/usage-record.entity.js';
import type { UsageRecorder } from '../usage/records/usage-recorder.service.js';
import { Accounting } from './accounting.service.js';

/** Records of the calls that a bench has ended. */
async function recordsOf(bench: EngineBench): Promise<UsageRecord[]> {
  const records: UsageRecord[] = [];
  const recorder = { add: (record: UsageRecord) => records.push(record), close: () => Promise.resolve() };
  const pricing = { costOf: () => Promise.resolve(7), mostOf: () => Promise.resolve(7) };
  const events = new CallEvents();
  const accounting = new Accounting(
    events,
    pricing as unknown as Pricing,
    { maxOutputTokensOf: () => undefined } as unknown as Routing,
    recorder as unknown as UsageRecorder,
    {} as CostEstimator,
  );
  for (const outcome of bench.outcomes) events.ended(outcome);
  await accounting.beforeApplicationShutdown();
  return records;
}

function addRespondingHook(bench: EngineBench, response: ShortCircuit<'chat'>): void {
  bench.hooks.add({
    name: response.source,
    order: 1,
    before: <Name extends OperationName>(_call: HookedCall<Name>) => response as ShortCircuit<Name>,
  });
}

describe('a call whose response a hook gave', () => {
  const usage = { prompt_tokens: 11, completion_tokens: 5, total_tokens: 16 };
  const expected = {
    requestedModel: 'm',
    model: 'm',
    provider: 'cache',
    upstreamModel: null,
    operation: 'chat',
    attempts: 0,
    totalTokens: 0,
    costNanos: 0,
    costBasis: 'reported',
  };

  it('leaves one record, of no cost, that names the hook', async () => {
    const bench = new EngineBench();
    const result = { choices: [{ index: 0, message: { content: 'kept' } }], usage } as unknown as ChatCompletion;
    addRespondingHook(bench, { source: 'cache', result });
    await bench.engine.run(CHAT, REQUEST, bench.context);
    const record = { ...expected, status: 'succeeded', httpStatus: 200, isStream: false };
    expect(await recordsOf(bench)).toMatchObject([record]);
  });

  it('leaves one as a stream too, read to its end or left by the client', async () => {
    for (const [isRead, status] of [
      [true, 'succeeded'],
      [false, 'abandoned'],
    ] as const) {
      const bench = new EngineBench();
      addRespondingHook(bench, { source: 'cache', chunks: groups([chunk('kept')]) });
      const { chunks, close } = await bench.engine.stream(CHAT, REQUEST, bench.context);
      if (isRead) for await (const group of chunks) expect(group).toHaveLength(1);
      else {
        bench.signal.abort(new Error('the client has left'));
        close();
      }
      expect(await recordsOf(bench)).toMatchObject([{ ...expected, status, httpStatus: 200, isStream: true }]);
    }
  });

  it('leaves none where the hook refuses the request', async () => {
    const bench = new EngineBench();
    const refusal = invalidRequest('not this prompt', 'messages');
    bench.hooks.add({ name: 'guard', order: 1, before: () => Promise.reject(refusal) });
    await expect(bench.engine.run(CHAT, REQUEST, bench.context)).rejects.toBe(refusal);
    expect(await recordsOf(bench)).toEqual([]);
  });
});

async function* groups(group: readonly StreamedChunk[]): AsyncGenerator<readonly StreamedChunk[]> {
  await Promise.resolve();
  yield group;
}
