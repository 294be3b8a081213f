import cluster from 'node:cluster';
import { hostname } from 'node:os';
import { Injectable, Logger, OnApplicationShutdown } from '@nestjs/common';
import { describeError } from '../errors/describe-error.js';
import { SharedRedis } from '../redis/shared-redis.js';
import { Periodic } from '../runtime/periodic.js';

const KEY = 'gateway:replicas';
const RENEWAL_MS = 5_000;
/** How long a replica counts after its last sign of life. */
const KEPT_MS = 20_000;

/** ARGV: this replica, how long it counts. Uses Redis' clock. Returns the number of replicas. */
const PRESENT = `
if redis.call('TYPE', KEYS[1]).ok ~= 'zset' then redis.call('DEL', KEYS[1]) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])`;

/**
 * How many replicas share the Redis. While Redis is unreachable, each replica admits its share of a limit, so that all together
 * stay within the whole. The processes of one instance count together without Redis too, so they are one replica.
 */
@Injectable()
export class Replicas implements OnApplicationShutdown {
  private readonly logger = new Logger('Limits');
  private readonly id = `${hostname()}:${cluster.isWorker ? process.ppid : process.pid}`;
  private readonly periodic: Periodic | undefined;
  private known = 1;

  constructor(private readonly redis: SharedRedis) {
    if (!redis.isConfigured) return;
    const onError = (error: unknown): void =>
      this.logger.warn({ msg: 'this replica could not be announced', error: describeError(error) });
    const periodic = new Periodic(() => this.renew(), { intervalMs: RENEWAL_MS, onError });
    redis.onReady(() => void periodic.run());
    this.periodic = periodic;
  }

  /** The count when Redis last responded. */
  get count(): number {
    return this.known;
  }

  /** This replica's share of a limit: at least 1, so that small limits still admit something. */
  shareOf(limit: number): number {
    return Math.max(1, Math.floor(limit / this.known));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.periodic?.stop();
  }

  private async renew(): Promise<void> {
    const count = await this.redis.run((client) => client.eval(PRESENT, 1, KEY, this.id, KEPT_MS));
    if (typeof count === 'number' && count >= 1) this.known = count;
  }
}
