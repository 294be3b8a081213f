import { WebhookPool } from './webhook-pool.js';

/** Deliveries that end on request. */
class Receiver {
  readonly open: { fail: () => void; succeed: () => void }[] = [];
  readonly deliver = (): Promise<void> =>
    new Promise((resolve, reject) => {
      this.open.push({ succeed: resolve, fail: () => reject(new Error('dead')) });
    });
}

const settle = (): Promise<void> => new Promise(setImmediate);

async function flood(pool: WebhookPool, owner: string, count: number): Promise<Receiver> {
  const receiver = new Receiver();
  for (let index = 0; index < count; index += 1) pool.run(owner, receiver.deliver).catch(() => undefined);
  await settle();
  return receiver;
}

describe('the pool of deliveries', () => {
  it('gives an owner its share, and the next of it as one ends', async () => {
    const pool = new WebhookPool();
    const receiver = await flood(pool, 'a', 10);
    expect([receiver.open.length, pool.roomOf('a')]).toEqual([4, 0]);
    for (let started = 5; started <= 10; started += 1) {
      receiver.open[started - 5]?.succeed();
      await settle();
      expect(receiver.open).toHaveLength(started);
    }
  });

  it('starts another owner’s at once, however many of one wait', async () => {
    const pool = new WebhookPool();
    await flood(pool, 'dead', 500);
    let hasRun = false;
    await pool.run('alive', () => {
      hasRun = true;
      return Promise.resolve();
    });
    expect(hasRun).toBe(true);
  });

  it('keeps half of its places from owners whose last delivery failed, until one of theirs succeeds', async () => {
    const pool = new WebhookPool();
    const owners = Array.from({ length: 100 }, (_, index) => `dead-${index}`);
    for (const owner of owners)
      await expect(pool.run(owner, () => Promise.reject(new Error('dead')))).rejects.toThrow();
    const receivers = await Promise.all(owners.map((owner) => flood(pool, owner, 4)));
    const started = receivers.flatMap(({ open }) => open);
    expect([started.length, pool.room, pool.roomOf('dead-99'), pool.roomOf('alive')]).toEqual([128, 128, 0, 4]);
    started[0]?.succeed();
    await settle();
    expect(receivers.flatMap(({ open }) => open)).toHaveLength(129);
    expect(pool.roomOf('dead-0')).toBe(1);
  });

  it('refuses what it cannot let wait, and forgets nothing that it counted', async () => {
    const pool = new WebhookPool();
    const receiver = await flood(pool, 'a', 1_004);
    await expect(pool.run('a', receiver.deliver)).rejects.toThrow(/1000 webhook deliveries wait/);
    await expect(pool.run('b', () => Promise.resolve('taken'))).resolves.toBe('taken');
    for (let ended = 0; ended < 1_004; ended += 1) {
      receiver.open[ended]?.[ended % 2 === 0 ? 'fail' : 'succeed']();
      await settle();
    }
    expect([receiver.open.length, pool.room, pool.roomOf('a')]).toEqual([1_004, 256, 4]);
  });
});
