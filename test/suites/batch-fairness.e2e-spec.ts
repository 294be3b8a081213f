import { BatchHistory } from '../fixtures/batch-history.js';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, openAiAt } from '../fixtures/gateway-config.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { until } from '../fixtures/until.js';

describe(`batches of many keys and models (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  let upstream: FakeUpstream;
  let gateway: RunningGateway;

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    gateway = await startGateway({
      config: {
        providers: { fake: openAiAt(upstream), other: openAiAt(upstream) },
        models: [
          model('slow', { at: 'fake/echo?delay=60000', concurrency: 2 }),
          model('limited', 'fake/echo?of=limited', { limits: { rpm: 1 } }),
        ],
        batch: { concurrency: 8 },
      },
    });
  });
  afterAll(async () => {
    await gateway.stop('SIGKILL');
    await upstream.stop();
  });

  const historyOf = async (): Promise<BatchHistory> => new BatchHistory(await gateway.apiKey(), () => gateway.url);
  const isDone = async (history: BatchHistory, id: string | undefined): Promise<boolean> =>
    id !== undefined && (await history.counts(id)).completed_at !== null;
  /** Submits many jobs, and resolves when all are in. */
  async function submitMany(history: BatchHistory, count: number, id: string): Promise<void> {
    for (let start = 0; start < count; start += 25) {
      const ids = await Promise.all(
        Array.from({ length: Math.min(25, count - start) }, (_, index) =>
          history.submit(id, [`${id} ${start + index} a`, `${id} ${start + index} b`, 'c', 'd']),
        ),
      );
      expect(ids.every((each) => each !== undefined)).toBe(true);
    }
  }

  it('a key with 260 jobs before it does not hold up another key', async () => {
    const [busy, other] = [await historyOf(), await historyOf()];
    await submitMany(busy, 260, 'fake/echo?delay=2000');
    const before = (await upstream.requests()).length;
    const own = await other.submit('fake/echo', ['mine']);
    await until(() => isDone(other, own));
    const turn = (await upstream.requests()).findIndex(({ model }) => model === 'echo');
    // It had its turn long before the 1,040 tasks that were submitted first: eight run at once, for two seconds each.
    expect(turn).toBeGreaterThanOrEqual(0);
    expect(turn - before).toBeLessThan((1_040 - before) / 3);
  });

  it('a model without room does not block another, of any key: full, limited, or paused', async () => {
    const [busy, limited, throttled, other] = await Promise.all([historyOf(), historyOf(), historyOf(), historyOf()]);
    await submitMany(busy, 60, 'slow');
    await submitMany(limited, 60, 'limited');
    await submitMany(throttled, 60, 'other/status?code=429&retry-after=600');
    const mine = await other.submit('fake/echo', ['a healthy model']);
    await until(() => isDone(other, mine));
    // The same key, with its other model in the way.
    const same = await busy.submit('fake/echo', ['a healthy model of a busy key']);
    await until(() => isDone(busy, same));
    // Tasks that name a model of their own are held to that one.
    const id = await gateway.admin.submitBatch('fake/echo', [
      ...Array.from({ length: 40 }, () => ({ prompt: 'x', model: 'slow' })),
      { prompt: 'own', custom_id: 'own' },
    ]);
    await until(async () => (await gateway.admin.readBatch(id)).completed_count === 1);
  });
});
