import { randomUUID } from 'node:crypto';
import { Injectable, OnApplicationShutdown } from '@nestjs/common';
import { SharedRedis } from '../../redis/shared-redis.js';

/** Milliseconds for which a place in Redis is held by a process that shows no sign of life. */
const LEASE = 30_000;
const RENEWAL = 10_000;
const PREFIX = 'gateway:concurrency:';

/** ARGV: now, lease end, limit, id. Returns whether there was room. */
const TAKE = `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[4])
redis.call('PEXPIRE', KEYS[1], 120000)
return 1`;

/** A request's place among those that may be under way at once. */
export interface Lease {
  readonly account: string;
  /** Its member in Redis; undefined where this process alone counts it. */
  readonly shared: string | undefined;
}

/** Requests under way for each account, in Redis for all processes or in this one. What a dead process held ends by itself. */
@Injectable()
export class ConcurrencyLeases implements OnApplicationShutdown {
  private readonly inProcess = new Map<string, number>();
  private readonly held = new Map<string, string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly redis: SharedRedis) {}

  /** A place, or undefined when the account has as many requests under way as it may. */
  async take(account: string, limit: number): Promise<Lease | undefined> {
    const id = randomUUID();
    const room = await this.redis.run(async (client) => {
      const now = Date.now();
      return client.eval(TAKE, 1, PREFIX + account, now, now + LEASE, limit, id);
    });
    if (room !== undefined) {
      if (room !== 1) return undefined;
      this.held.set(id, account);
      this.timer ??= setInterval(() => this.renew(), RENEWAL).unref();
      return { account, shared: id };
    }
    const underWay = this.inProcess.get(account) ?? 0;
    if (underWay >= limit) return undefined;
    this.inProcess.set(account, underWay + 1);
    return { account, shared: undefined };
  }

  free({ account, shared }: Lease): void {
    if (shared !== undefined) {
      this.held.delete(shared);
      void this.redis.run((client) => client.zrem(PREFIX + account, shared));
      return;
    }
    const left = (this.inProcess.get(account) ?? 1) - 1;
    if (left > 0) this.inProcess.set(account, left);
    else this.inProcess.delete(account);
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private renew(): void {
    if (this.held.size === 0) return;
    const until = Date.now() + LEASE;
    void this.redis.run((client) => {
      const pipeline = client.pipeline();
      for (const [id, account] of this.held) pipeline.zadd(PREFIX + account, 'XX', until, id);
      return pipeline.exec();
    });
  }
}
