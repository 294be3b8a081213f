import { Injectable } from '@nestjs/common';
import { ClusterPeers } from '../../cluster/cluster-peers.js';
import { BatchQueue } from './batch-queue.js';

const CHANNEL = 'gateway:batches';

/** The bell of a process that is its own worker; those of the same machine hear it too. */
@Injectable()
export class InProcessBatchQueue extends BatchQueue {
  private wake: (() => void) | undefined;

  constructor(private readonly siblings: ClusterPeers) {
    super();
  }

  notify(jobId: string): void {
    if (this.wake !== undefined) setImmediate(this.wake);
    void this.siblings.publish(CHANNEL, jobId);
  }

  onWakeup(wake: () => void): void {
    this.wake = wake;
    this.siblings.subscribe(CHANNEL, wake);
  }
}
