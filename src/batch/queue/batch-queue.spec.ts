import { EventEmitter } from 'node:events';
import type { Queue } from 'bull';
import { NoClusterPeers } from '../../cluster/cluster-peers.js';
import { BatchProcessor } from './batch.processor.js';
import type { BatchQueue } from './batch-queue.js';
import { BullBatchQueue, type WakeUp } from './bull-batch-queue.js';
import { InProcessBatchQueue } from './in-process-batch-queue.js';

/** Behaves as Bull's queue while Redis is unreachable; with Redis it is tested end to end on a real server. */
function queueWithoutRedis(): Queue<WakeUp> {
  const queue = new EventEmitter() as EventEmitter & { client: EventEmitter & { status: string }; add: () => never };
  queue.client = Object.assign(new EventEmitter(), { status: 'reconnecting' });
  queue.add = () => {
    throw new Error('add() would never resolve');
  };
  return queue as unknown as Queue<WakeUp>;
}

describe.each<[string, () => BatchQueue]>([
  ['in the process', () => new InProcessBatchQueue(new NoClusterPeers())],
  ['of Bull without Redis', () => new BullBatchQueue(queueWithoutRedis())],
])('the batch queue %s', (_name, make) => {
  it('wakes the worker of its own process at each notification', async () => {
    const queue = make();
    let woken = 0;
    queue.onWakeup(() => (woken += 1));
    queue.notify('batch_1');
    queue.notify('batch_2');
    await new Promise(setImmediate);
    expect(woken).toBe(2);
  });

  it('accepts notifications without a listener', () => {
    expect(() => make().notify('batch_1')).not.toThrow();
  });
});

describe('the batch queue over Bull', () => {
  it('wakes the worker at a notification from another process', () => {
    const queue = new BullBatchQueue(queueWithoutRedis());
    let woken = 0;
    queue.onWakeup(() => (woken += 1));
    new BatchProcessor(queue).handle();
    expect(woken).toBe(1);
  });

  it('survives the errors that Bull emits while Redis is away', () => {
    const bull = queueWithoutRedis();
    new BullBatchQueue(bull);
    expect(() => bull.emit('error', new Error('connect ECONNREFUSED'))).not.toThrow();
  });
});
