import { Injectable } from '@nestjs/common';
import { ClusterPeers } from '../../cluster/cluster-peers.js';
import { BatchQueue } from './batch-queue.js';

const CHANNEL = 'gateway:batches';

/** Wake-ups within the processes of one machine. */
@Injectable()
export class InProcessBatchQueue extends BatchQueue {
  private wake: (() => void) | undefined;

  constructor(private readonly peers: ClusterPeers) {
    super();
  }

  notify(jobId: string): void {
    if (this.wake !== undefined) setImmediate(this.wake);
    void this.peers.publish(CHANNEL, jobId);
  }

  onWakeup(wake: () => void): void {
    this.wake = wake;
    this.peers.subscribe(CHANNEL, wake);
  }
}
