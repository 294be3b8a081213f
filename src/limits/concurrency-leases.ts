import { randomUUID } from 'node:crypto';
import { Injectable, OnApplicationShutdown } from '@nestjs/common';
import { Periodic } from '../runtime/periodic.js';
import { SharedRedis } from '../redis/shared-redis.js';
import { LimitStore } from './limit-store.js';
import { Replicas } from './replicas.js';

/** Milliseconds until a slot in Redis is released when its process does not renew it. */
const LEASE_MS = 30_000;
const RENEWAL_INTERVAL_MS = 10_000;
const PREFIX = 'gateway:concurrency:';

/** ARGV: duration, limit, ids. Uses Redis' clock. Returns whether all of them were below the limit. */
const TAKE = `
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'zset' and kind ~= 'none' then redis.call('DEL', KEYS[1]) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', now + 4 * ARGV[1]), '+inf')
if redis.call('ZCARD', KEYS[1]) + #ARGV - 2 > tonumber(ARGV[2]) then return 0 end
for i = 3, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], 120000)
return 1`;
/** ARGV: duration, ids. Also restores slots that Redis has lost. */
const RENEW = `
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'zset' and kind ~= 'none' then redis.call('DEL', KEYS[1]) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], 120000)
return 1`;

/** The slots of a request among the calls that may be in flight at once. */
export interface Lease {
  readonly account: string;
  readonly ids: readonly string[];
  /** Whether Redis counts it. */
  readonly isShared: boolean;
}

/** Calls in flight of each account, in Redis for all processes or on this machine. The slots of a dead process expire. */
@Injectable()
export class ConcurrencyLeases implements OnApplicationShutdown {
  /** Prefix that makes the ids of this process unique. */
  private readonly process = `${randomUUID()}-`;
  private taken = 0;
  private readonly held = new Map<string, string>();
  private renewals: Periodic | undefined;

  constructor(
    private readonly redis: SharedRedis,
    private readonly store: LimitStore,
    private readonly replicas: Replicas,
  ) {
    redis.onReady(() => void this.renew());
  }

  /** One slot per call of the request, or undefined when the account has too many calls in flight. */
  async take(account: string, limit: number, calls: number): Promise<Lease | undefined> {
    const ids = Array.from({ length: calls }, () => `${this.process}${(this.taken += 1)}`);
    const room = await this.redis.command((client) => client.eval(TAKE, 1, PREFIX + account, LEASE_MS, limit, ...ids));
    if (room === undefined) {
      const share = this.redis.isConfigured ? this.replicas.shareOf(limit) : limit;
      return (await this.takeHere(account, share, ids)) ? { account, ids, isShared: false } : undefined;
    }
    if (room !== 1) return undefined;
    for (const id of ids) this.held.set(id, account);
    this.renewals ??= new Periodic(() => this.renew(), { intervalMs: RENEWAL_INTERVAL_MS, onError: () => undefined });
    return { account, ids, isShared: true };
  }

  free({ account, ids, isShared }: Lease): void {
    if (!isShared) {
      for (const id of ids) this.store.freeSlot(account, id);
      return;
    }
    for (const id of ids) this.held.delete(id);
    void this.redis.run((client) => client.zrem(PREFIX + account, ...ids));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.renewals?.stop();
  }

  private async takeHere(account: string, limit: number, ids: readonly string[]): Promise<boolean> {
    for (let taken = 0; taken < ids.length; taken += 1) {
      if (await this.store.takeSlot(account, limit, ids[taken] ?? '')) continue;
      for (const id of ids.slice(0, taken)) this.store.freeSlot(account, id);
      return false;
    }
    return true;
  }

  /** A lease that Redis does not accept now is renewed next time. */
  private async renew(): Promise<void> {
    const byAccount = new Map<string, string[]>();
    for (const [id, account] of this.held) {
      const ids = byAccount.get(account);
      if (ids === undefined) byAccount.set(account, [id]);
      else ids.push(id);
    }
    const renewed = [...byAccount].map(([account, ids]) =>
      this.redis.run((client) => client.eval(RENEW, 1, PREFIX + account, LEASE_MS, ...ids)),
    );
    await Promise.all(renewed);
  }
}
