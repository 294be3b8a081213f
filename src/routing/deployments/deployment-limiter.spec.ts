import type { Deployment, ResolvedModel } from '../resolved-model.js';
import { DeploymentLimiter, Slot, type NoSlot, type QueueRequest } from './deployment-limiter.js';
import { Deployments } from './deployments.service.js';

const IDLE = new AbortController().signal;

function deployment(id: string, concurrency: number): Deployment {
  return { id, concurrency } as Deployment;
}

describe('DeploymentQueue', () => {
  let known: Deployments;
  let queue: DeploymentLimiter;
  const one = deployment('p/one', 1);
  const two = deployment('p/two', 1);
  let model: ResolvedModel;

  beforeEach(() => {
    known = new Deployments();
    queue = new DeploymentLimiter(known);
    model = { id: 'm', queue: { id: 'm', size: 3, timeout: 5_000 } } as ResolvedModel;
  });

  function taken(...deployments: Deployment[]): Slot[] {
    return deployments.map((each) => queue.take(each, 'key_a')).filter((slot) => slot !== undefined);
  }

  function wait(fields: Partial<QueueRequest> = {}): Promise<Slot | NoSlot> {
    return queue.wait({
      model,
      key: 'key_a',
      deployments: [one],
      isBatch: false,
      maxWaitMs: Infinity,
      signal: IDLE,
      ...fields,
    });
  }

  async function slotOf(waiting: Promise<Slot | NoSlot>): Promise<Slot> {
    const slot = await waiting;
    if (!(slot instanceof Slot)) throw new Error('no slot');
    return slot;
  }

  it('grants as many slots as the limit, and none twice', () => {
    const slots = taken(one, one);
    expect(slots).toHaveLength(1);
    slots[0]?.free();
    slots[0]?.free();
    expect(known.healthOf(one).inFlight).toBe(0);
    expect(taken(one, one)).toHaveLength(1);
  });

  it('ends the wait of calls whose deployments are all drained, and gives no slot of a drained one', async () => {
    const slots = taken(one, two);
    const [lost, kept] = [wait(), wait({ deployments: [one, two] })];
    const drained = { deployment: 'p/one', reason: null, actor: 'a', actorName: 'a', createdAt: 0, expiresAt: null };
    known.drains.replace([drained]);
    expect(await lost).toMatchObject({ isDrained: true });
    expect(queue.waitingFor('m')).toBe(1);
    slots[0]?.free();
    expect(queue.waitingFor('m')).toBe(1);
    slots[1]?.free();
    expect((await slotOf(kept)).deployment).toBe(two);
  });

  it('serves in order, live calls before those of batches', async () => {
    const [first] = taken(one);
    const order: string[] = [];
    const served = [true, false, false].map(async (isBatch, index) => {
      const slot = await slotOf(wait({ isBatch }));
      order.push(`${isBatch ? 'batch' : 'live'} ${index}`);
      slot.free();
    });
    first?.free();
    await Promise.all(served);
    expect(order).toEqual(['live 1', 'live 2', 'batch 0']);
    expect(known.healthOf(one).inFlight).toBe(0);
  });

  it('takes whichever deployment becomes free first', async () => {
    const [, second] = taken(one, two);
    const waiting = wait({ deployments: [one, two] });
    second?.free();
    expect((await slotOf(waiting)).deployment).toBe(two);
  });

  it('refuses at once when the queue is full or the turn would come too late', async () => {
    const [slot] = taken(one);
    const controller = new AbortController();
    const waiting = [1, 2, 3].map(() => wait({ signal: controller.signal }));
    expect(await wait()).toEqual({ retryAfterMs: 1_000 });
    controller.abort(new Error('gone'));
    for (const each of waiting) await expect(each).rejects.toThrow('gone');
    expect(queue.waitingFor('m')).toBe(0);
    known.healthOf(one).callTime = 8_000;
    expect(await wait()).toEqual({ retryAfterMs: 8_000 });
    known.healthOf(one).callTime = 2_000;
    expect(await wait({ maxWaitMs: 1_500 })).toEqual({ retryAfterMs: 2_000 });
    slot?.free();
  });

  it('stops waiting after its timeout, and keeps batches from taking the room of live calls', async () => {
    taken(one);
    model = { ...model, queue: { id: 'm', size: 1, timeout: 20 } };
    const batch = wait({ isBatch: true });
    const live = wait();
    expect(queue.waitingFor('m')).toBe(2);
    expect(await live).toEqual({ retryAfterMs: 1_000 });
    expect(await batch).toEqual({ retryAfterMs: 1_000 });
    expect(queue.waitingFor('m')).toBe(0);
  });
});
