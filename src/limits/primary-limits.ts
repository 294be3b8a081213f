import type { IpcChannel } from '../cluster/ipc-channel.js';
import { WorkerLimitStore } from './worker-limit-store.js';
import { InProcessLimitStore } from './in-process-limit-store.js';
import { type LimitStep, takeLimitStep } from './remote-limit-store.js';

/** The kind of the messages between a worker and the primary that counts for it. */
export const LIMITS = 'limits';

/** Counts limits in the primary for all workers. @returns the service of one worker, which releases what it held when it exits */
export function primaryLimits(): (link: IpcChannel) => () => void {
  const store = new InProcessLimitStore();
  return (link) => {
    const held = new WorkerLimitStore(store);
    link.handle(LIMITS, (step) => takeLimitStep(held, step as LimitStep));
    return () => void held.release();
  };
}
