import { jest } from '@jest/globals';
import type { Broadcast } from '../cluster/broadcast.js';
import type { Database } from '../database/database.js';
import type { SharedRedis } from '../redis/shared-redis.js';
import { CancelSource } from '../runtime/cancel-signal.js';
import { ResponseChanges } from './response-changes.js';

type Listener = (message: unknown) => void;

/** So many processes that send each other messages, as text. */
function processes(count: number, { isSqlite = true } = {}): ResponseChanges[] {
  const listeners: Listener[] = [];
  const broadcast = {
    publish: (_channel: string, message: unknown) => {
      for (const listener of listeners) listener(JSON.parse(JSON.stringify(message)) as unknown);
      return Promise.resolve();
    },
    subscribe: (_channel: string, listener: Listener) => listeners.push(listener),
  } as unknown as Broadcast;
  return Array.from({ length: count }, () => {
    const database = { dialect: { isSqlite } } as unknown as Database;
    const changes = new ResponseChanges(broadcast, { client: undefined } as unknown as SharedRedis, database);
    changes.onApplicationBootstrap();
    return changes;
  });
}

describe('a reader of a response', () => {
  const signal = new CancelSource();

  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('is notified in every process, of its own response alone', async () => {
    const all = processes(3);
    const waiters = all.map((changes) => changes.open('key', 'one'));
    const other = all[0]!.open('key', 'two');
    const ofAnotherKey = all[0]!.open('other', 'one');
    let others = 0;
    for (const waiter of [other, ofAnotherKey]) void waiter.next(signal).then(() => (others += 1));
    const notified = waiters.map((waiter) => waiter.next(signal));
    all[1]!.notify('key', 'one');
    await Promise.all(notified);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(others).toBe(0);
  });

  it('misses no change between two looks', async () => {
    const [changes] = processes(1);
    const waiter = changes!.open('key', 'one');
    changes!.notify('key', 'one');
    const next = waiter.next(signal);
    expect(jest.getTimerCount()).toBe(0);
    await next;
  });

  it.each([
    [true, 5_000],
    [false, 250],
  ])('looks again without a message; all processes are notified: %s', async (isSqlite, afterMs) => {
    const [changes] = processes(1, { isSqlite });
    let looks = 0;
    void changes!
      .open('key', 'one')
      .next(signal)
      .then(() => (looks += 1));
    await jest.advanceTimersByTimeAsync(afterMs - 1);
    expect(looks).toBe(0);
    await jest.advanceTimersByTimeAsync(1);
    expect(looks).toBe(1);
  });

  it('that has gone is not waited for, and leaves nothing behind', async () => {
    const [changes] = processes(1);
    const waiter = changes!.open('key', 'one');
    const leaving = new CancelSource();
    const next = waiter.next(leaving);
    leaving.abort(new Error('gone'));
    await expect(next).rejects.toThrow('gone');
    expect(jest.getTimerCount()).toBe(0);
    waiter.close();
    changes!.notify('key', 'one');
    const later = changes!.open('key', 'one');
    let isNotified = false;
    void later.next(signal).then(() => (isNotified = true));
    await jest.advanceTimersByTimeAsync(10);
    expect(isNotified).toBe(false);
  });
});
