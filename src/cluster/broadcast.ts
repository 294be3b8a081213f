import { Injectable } from '@nestjs/common';
import { SharedRedis } from '../redis/shared-redis.js';
import { ClusterPeers } from './cluster-peers.js';

/** What processes tell each other: those of this machine over their channel, those of others over Redis. Each may come twice. */
@Injectable()
export class Broadcast {
  constructor(
    private readonly redis: SharedRedis,
    private readonly siblings: ClusterPeers,
  ) {}

  /**
   * @param keepAs also told to processes of this machine that start later, until something else is told under the same name
   * @returns when all processes of this machine have heard it; others hear it as far as Redis can be reached
   */
  publish(channel: string, message: unknown, keepAs?: string): Promise<void> {
    this.redis.publish(channel, message);
    return this.siblings.publish(channel, message, keepAs);
  }

  /** Listens to a channel from now on. Whether a process hears its own messages too is not said. */
  subscribe(channel: string, listener: (message: unknown) => void): void {
    this.redis.subscribe(channel, listener);
    this.siblings.subscribe(channel, listener);
  }
}
