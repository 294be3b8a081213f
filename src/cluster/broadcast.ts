import { Injectable } from '@nestjs/common';
import { SharedRedis } from '../redis/shared-redis.js';
import { ClusterPeers } from './cluster-peers.js';

/** Messages between processes: over IPC on this machine, over Redis to other machines. A message may arrive twice. */
@Injectable()
export class Broadcast {
  constructor(
    private readonly redis: SharedRedis,
    private readonly peers: ClusterPeers,
  ) {}

  /**
   * @param keepAs also sent to processes of this machine that start later, until another message is published under this name
   * @returns when all processes of this machine have received it; other machines receive it if Redis is reachable
   */
  publish(channel: string, message: unknown, keepAs?: string): Promise<void> {
    this.redis.publish(channel, message);
    return this.peers.publish(channel, message, keepAs);
  }

  /** Subscribes to a channel. Whether a process receives its own messages is not specified. */
  subscribe(channel: string, listener: (message: unknown) => void): void {
    this.redis.subscribe(channel, listener);
    this.peers.subscribe(channel, listener);
  }
}
