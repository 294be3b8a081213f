import { randomUUID } from 'node:crypto';
import { Injectable, OnApplicationShutdown } from '@nestjs/common';
import { SharedRedis } from '../../redis/shared-redis.js';
import { LimitStore } from './limit-store.js';

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
  readonly id: string;
  /** Whether Redis counts it. */
  readonly isShared: boolean;
}

/** Requests under way for each account, in Redis for all processes or on this machine. What a dead process held ends by itself. */
@Injectable()
export class ConcurrencyLeases implements OnApplicationShutdown {
  /** Makes the ids of this process unlike those of all others. */
  private readonly process = `${randomUUID()}-`;
  private taken = 0;
  private readonly held = new Map<string, string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly redis: SharedRedis,
    private readonly store: LimitStore,
  ) {}

  /** A place, or undefined when the account has as many requests under way as it may. */
  async take(account: string, limit: number): Promise<Lease | undefined> {
    const id = `${this.process}${(this.taken += 1)}`;
    const room = await this.redis.run(async (client) => {
      const now = Date.now();
      return client.eval(TAKE, 1, PREFIX + account, now, now + LEASE, limit, id);
    });
    if (room === undefined) {
      return (await this.store.takePlace(account, limit, id)) ? { account, id, isShared: false } : undefined;
    }
    if (room !== 1) return undefined;
    this.held.set(id, account);
    this.timer ??= setInterval(() => this.renew(), RENEWAL).unref();
    return { account, id, isShared: true };
  }

  free({ account, id, isShared }: Lease): void {
    if (!isShared) {
      this.store.freePlace(account, id);
      return;
    }
    this.held.delete(id);
    void this.redis.run((client) => client.zrem(PREFIX + account, id));
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private renew(): void {
    if (this.held.size === 0) return;
    const until = Date.now() + LEASE;
    // No pipeline: on a cluster the accounts are on several nodes.
    void this.redis.run((client) =>
      Promise.all([...this.held].map(([id, account]) => client.zadd(PREFIX + account, 'XX', until, id))),
    );
  }
}
