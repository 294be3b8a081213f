import cluster from 'node:cluster';
import { hostname } from 'node:os';
import { Injectable, OnApplicationShutdown } from '@nestjs/common';
import { SharedRedis } from '../redis/shared-redis.js';

const KEY = 'gateway:replicas';
const RENEWAL_MS = 5_000;
/** How long a replica counts after it was last seen. */
const KEPT_MS = 20_000;

/** ARGV: this replica, how long it counts. By Redis' own clock. Returns how many there are. */
const PRESENT = `
if redis.call('TYPE', KEYS[1]).ok ~= 'zset' then redis.call('DEL', KEYS[1]) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])`;

/**
 * How many replicas share the Redis. While it cannot be used each of them lets pass its share of a limit, so that all together
 * stay within the whole. The processes of one start count together without Redis too, so they are one replica.
 */
@Injectable()
export class Replicas implements OnApplicationShutdown {
  private readonly id = `${hostname()}:${cluster.isWorker ? process.ppid : process.pid}`;
  private readonly timer: NodeJS.Timeout | undefined;
  private known = 1;

  constructor(private readonly redis: SharedRedis) {
    if (!redis.isConfigured) return;
    redis.onReady(() => void this.renew());
    this.timer = setInterval(() => void this.renew(), RENEWAL_MS).unref();
  }

  /** As it was when Redis last answered. */
  get count(): number {
    return this.known;
  }

  /** This replica's share of a limit: at least 1, so that small limits still let something pass. */
  shareOf(limit: number): number {
    return Math.max(1, Math.floor(limit / this.known));
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private async renew(): Promise<void> {
    const count = await this.redis.run((client) => client.eval(PRESENT, 1, KEY, this.id, KEPT_MS));
    if (typeof count === 'number' && count >= 1) this.known = count;
  }
}
