import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { RedisConnection } from '../../redis/connect-redis.js';
import { SharedRedis } from '../../redis/shared-redis.js';
import { LimitStore, type NoRoom } from './limit-store.js';
import type { PeriodSpan } from './period.js';
import { Spent } from './spent.js';

/** Milliseconds after which what a dead process set aside in Redis is free again: longer than any call. */
const RESERVATION = 1_800_000;
const PREFIX = 'gateway:budget:';

/** Adds up what is set aside, forgetting what is too old, and sets more aside if there is room. ARGV: now, amount, limit, field, end. */
const RESERVE = `
local spent = redis.call('HGET', KEYS[1], 'spent')
if not spent then return {-1, 0, 0} end
local reserved = 0
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if string.sub(all[i], 1, 2) == 'r:' then
    local amount, till = string.match(all[i + 1], '(%d+):(%d+)')
    if tonumber(till) < tonumber(ARGV[1]) then redis.call('HDEL', KEYS[1], all[i]) else reserved = reserved + tonumber(amount) end
  end
end
if tonumber(spent) + reserved + tonumber(ARGV[2]) > tonumber(ARGV[3]) then return {0, spent, tostring(reserved)} end
redis.call('HSET', KEYS[1], ARGV[4], ARGV[2] .. ':' .. ARGV[5])
return {1, spent, tostring(reserved)}`;
const SETTLE = `
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return redis.call('HGET', KEYS[1], 'spent') or '0' end
return tostring(redis.call('HINCRBY', KEYS[1], 'spent', ARGV[2]))`;

/** An amount that is set aside until a call has ended. Amounts are billionths of a dollar. */
export interface Reservation {
  readonly account: string;
  readonly period: PeriodSpan;
  readonly amount: number;
  readonly field: string;
  /** Whether Redis keeps it. */
  readonly isShared: boolean;
}

/**
 * What accounts have spent in a period and what is set aside for calls under way, in Redis for all processes or on
 * this machine. It begins with the sum of the usage records, so that nothing has to be repaired after a crash.
 */
@Injectable()
export class BudgetLedger {
  /** Balances whose beginning is being read from the records. */
  private readonly opening = new Map<string, Promise<void>>();
  /** Balances that went on without Redis, and are read anew from the records once it is back. */
  private readonly astray = new Set<string>();

  constructor(
    private readonly redis: SharedRedis,
    private readonly store: LimitStore,
    private readonly spent: Spent,
  ) {
    redis.onReady(() => void this.reunite());
  }

  /** Sets an amount aside if it fits in what is left of `limit`. */
  async reserve(account: string, period: PeriodSpan, amount: number, limit: number): Promise<Reservation | NoRoom> {
    const id = idOf(account, period);
    const field = `r:${randomUUID()}`;
    const shared = await this.redis.run((client) => this.reserveIn(client, { account, period, amount, limit, field }));
    if (shared !== undefined) return shared;
    if (this.redis.isConfigured) this.astray.add(id);
    for (;;) {
      const outcome = await this.store.reserve(id, field, amount, limit);
      if (outcome === 'reserved') return { account, period, amount, field, isShared: false };
      if (outcome !== 'unknown') return outcome;
      await this.openBalance(id, account, period);
    }
  }

  /** @returns what the account has spent in the period, or undefined when that cannot be said now */
  async settle({ account, period, field, isShared }: Reservation, actual: number): Promise<number | undefined> {
    const id = idOf(account, period);
    if (!isShared) return this.store.settle(id, field, actual);
    const text = await this.redis.run((client) => client.eval(SETTLE, 1, PREFIX + id, field, actual));
    return text === undefined ? undefined : Number(text);
  }

  private async reserveIn(
    client: RedisConnection,
    { account, period, amount, limit, field }: Omit<Reservation, 'isShared'> & { limit: number },
  ): Promise<Reservation | NoRoom> {
    const key = PREFIX + idOf(account, period);
    for (;;) {
      const now = Date.now();
      const answer = await client.eval(RESERVE, 1, key, now, amount, limit, field, now + RESERVATION);
      const [outcome, spent, reserved] = answer as [number, string, string];
      if (outcome === 1) return { account, period, amount, field, isShared: true };
      if (outcome === 0) return { spent: Number(spent), reserved: Number(reserved) };
      const known = await this.spent.within(account, period);
      await client.hsetnx(key, 'spent', known);
      if (period.end !== Infinity) await client.pexpireat(key, period.end + 86_400_000);
    }
  }

  /** Many calls may find the balance unknown at once; one of them reads the records. */
  private openBalance(id: string, account: string, period: PeriodSpan): Promise<void> {
    let opening = this.opening.get(id);
    if (opening === undefined) {
      opening = this.spent
        .within(account, period)
        .then((spent) => this.store.open(id, spent))
        .finally(() => this.opening.delete(id));
      this.opening.set(id, opening);
    }
    return opening;
  }

  /** What was spent while Redis was away is in the records alone. */
  private async reunite(): Promise<void> {
    const ids = [...this.astray];
    this.astray.clear();
    for (const id of ids) {
      this.store.forget(id);
      await this.redis.run((client) => client.hdel(PREFIX + id, 'spent'));
    }
  }
}

function idOf(account: string, { name }: PeriodSpan): string {
  return `${account}:${name}`;
}
