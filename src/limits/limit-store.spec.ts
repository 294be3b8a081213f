import { WorkerLimitStore } from './worker-limit-store.js';
import { IpcChannel } from '../cluster/ipc-channel.js';
import { InProcessLimitStore } from './in-process-limit-store.js';
import type { LimitStore } from './limit-store.js';
import { type LimitStep, RemoteLimitStore, takeLimitStep } from './remote-limit-store.js';

/** A store as a worker uses it: over two ends of a channel that carries JSON. */
function remote(held: WorkerLimitStore): { store: LimitStore; end: () => Promise<void> } {
  const worker: IpcChannel = new IpcChannel((message) => primary.receive(JSON.parse(JSON.stringify(message))));
  const primary: IpcChannel = new IpcChannel((message) => worker.receive(JSON.parse(JSON.stringify(message))));
  primary.handle('limits', (step) => takeLimitStep(held, step as LimitStep));
  const store = new RemoteLimitStore({
    ask: (step) => worker.ask('limits', step),
    notify: (step) => worker.notify('limits', step),
  });
  return {
    store,
    end: () => {
      worker.close();
      return held.release();
    },
  };
}

describe.each<[string, () => LimitStore]>([
  ['in the process', () => new InProcessLimitStore()],
  ['of another process', () => remote(new WorkerLimitStore(new InProcessLimitStore())).store],
])('limits counted %s', (_name, make) => {
  it('let exactly as many concurrent points through as the window has', async () => {
    const store = make();
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => store.takePoints('requests:k', 30, 1)));
    const taken = outcomes.flatMap((outcome) => ('remaining' in outcome ? [outcome.remaining] : []));
    expect(taken.sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, index) => index));
    const refused = outcomes.find((outcome) => 'retryAfterMs' in outcome);
    expect((refused as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(59_000);
    store.changePoints('requests:k', -1);
    expect(await store.takePoints('requests:k', 30, 1)).toMatchObject({ remaining: 0 });
  });

  it('let what is larger than the whole window through when it is empty, and nothing after it', async () => {
    const store = make();
    expect(await store.takePoints('tokens:k', 10, 25)).toMatchObject({ remaining: 0 });
    expect(await store.takePoints('tokens:k', 10, 1)).toHaveProperty('retryAfterMs');
  });

  it('grants slots up to the limit, and freed slots again', async () => {
    const store = make();
    const takes = await Promise.all(['a', 'b', 'c'].map((id) => store.takeSlot('k', 2, id)));
    expect(takes).toEqual([true, true, false]);
    store.freeSlot('k', 'a');
    expect(await Promise.all(['d', 'e'].map((id) => store.takeSlot('k', 2, id)))).toEqual([true, false]);
  });

  it('set amounts aside below the limit, once it is known what was spent', async () => {
    const store = make();
    expect(await store.reserve('k:2026-11', 'r1', 40, 100)).toBe('unknown');
    await store.open('k:2026-11', 30);
    await store.open('k:2026-11', 0);
    expect(await store.reserve('k:2026-11', 'r1', 40, 100)).toBe('reserved');
    expect(await store.reserve('k:2026-11', 'r2', 40, 100)).toEqual({ spent: 30, reserved: 40 });
    expect(await store.settle('k:2026-11', 'r1', 10)).toBe(40);
    expect(await store.settle('k:2026-11', 'r1', 10)).toBeUndefined();
    expect(await store.reserve('k:2026-11', 'r3', 60, 100)).toBe('reserved');
    store.forget('k:2026-11');
    expect(await store.settle('k:2026-11', 'r3', 60)).toBeUndefined();
  });
});

it('frees the slots of a process that exits and counts its reservations as spent, and leaves those of other processes', async () => {
  const shared = new InProcessLimitStore();
  const [dying, living] = [remote(new WorkerLimitStore(shared)), remote(new WorkerLimitStore(shared))];
  await shared.open('k:total', 0);
  await dying.store.takeSlot('k', 2, 'a');
  await living.store.takeSlot('k', 2, 'b');
  await dying.store.reserve('k:total', 'r1', 60, 100);
  await living.store.reserve('k:total', 'r2', 30, 100);
  expect(await living.store.takeSlot('k', 2, 'c')).toBe(false);
  await dying.end();
  expect(await living.store.takeSlot('k', 2, 'c')).toBe(true);
  expect(await living.store.takeSlot('k', 2, 'd')).toBe(false);
  expect(await living.store.reserve('k:total', 'r3', 10, 100)).toBe('reserved');
  expect(await living.store.reserve('k:total', 'r4', 1, 100)).toEqual({ spent: 60, reserved: 40 });
  await expect(dying.store.takeSlot('k', 2, 'e')).rejects.toMatchObject({ status: 503 });
});
