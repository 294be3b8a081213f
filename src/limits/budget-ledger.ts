import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import type { RedisConnection } from '../redis/connect-redis.js';
import { boundNanoDollars, MAX_NANO_DOLLARS, NO_COST, type NanoDollars } from '../runtime/nano-dollars.js';
import { describeError } from '../errors/describe-error.js';
import { SharedRedis } from '../redis/shared-redis.js';
import { LimitStore, type NoRoom } from './limit-store.js';
import { periodId, type PeriodSpan } from './period.js';
import { Replicas } from './replicas.js';
import { RESERVATION_MS, sharedBalances, type SharedReservation } from './shared-balances.js';
import { SpendQuery } from './spend-query.js';

/** The channel on which replicas notify each other that Redis has lost balances. */
const CHANNEL = 'gateway:budgets';
/**
 * Milliseconds after Redis has lost its data during which no balance is opened: meanwhile every replica reconnects, writes its
 * last records and reserves the cost of its calls in flight again.
 */
const SETTLING_MS = 1_500;
/** Longest that a reservation waits for this. */
const MAX_WAIT_MS = 5_000;

/** An amount that is reserved until a call has ended. */
export interface Reservation {
  readonly account: string;
  readonly period: PeriodSpan;
  readonly amount: NanoDollars;
  readonly field: string;
}

interface InFlight extends Reservation, SharedReservation {
  /** Milliseconds of the monotonic clock. */
  readonly since: number;
  /** `perhaps`: the command was sent, but no response was received. */
  inRedis: 'yes' | 'no' | 'perhaps';
  inStore: boolean;
}

interface Unsettled {
  readonly reservation: SharedReservation;
  readonly actual: NanoDollars;
  /** Whether it counts although Redis has no reservation: true as long as it cannot have been counted already. */
  isCountedAnyway: boolean;
}

/**
 * The spent amounts of accounts in a period and the reservations of calls in flight, in Redis for all processes or on this
 * machine. A balance starts with the sum of the usage records, so a crash leaves nothing to repair.
 *
 * The process that made a reservation keeps it until it is settled. So when Redis has lost its data, or was unreachable, the
 * cost of calls in flight is reserved again, and their actual cost is counted.
 */
@Injectable()
export class BudgetLedger {
  private readonly logger = new Logger('Budgets');
  private readonly inFlight = new Map<string, InFlight>();
  /** Balances whose initial sum is being read from the records. */
  private readonly opening = new Map<string, Promise<void>>();
  /** Balances that this process keeps while Redis is unreachable, with the initial sum of the records. */
  private readonly alone = new Map<string, Promise<NanoDollars>>();
  /** The amount spent of each balance while Redis was unreachable. */
  private readonly spentAlone = new Map<string, NanoDollars>();
  /** Settlements and reservations for which Redis sent no response. */
  private readonly degradedBalances = new Map<string, Unsettled>();
  private life: string | undefined;
  private restoring: Promise<void> | undefined;

  constructor(
    private readonly redis: SharedRedis,
    private readonly store: LimitStore,
    private readonly spend: SpendQuery,
    private readonly replicas: Replicas,
  ) {
    redis.onReady(() => void this.resync());
    redis.subscribe(CHANNEL, () => void this.resync());
  }

  /**
   * Reserves an amount if it fits in the rest of `limit`.
   *
   * @param id of a reservation that another process may take over: it is then reserved again under the same id, in its place
   */
  async reserve(
    account: string,
    period: PeriodSpan,
    amount: NanoDollars,
    limit: NanoDollars,
    id?: string,
  ): Promise<Reservation | NoRoom> {
    const balance = `${account}:${periodId(period)}`;
    const field = `r:${id === undefined ? randomUUID() : `${id}:${account}`}`;
    const entry: InFlight = {
      account,
      period,
      amount,
      field,
      balance,
      end: period.end,
      since: performance.now(),
      inRedis: 'no',
      inStore: false,
    };
    await this.restoring;
    const client = this.redis.client;
    const shared =
      client === undefined ? undefined : await this.redis.command((at) => this.reserveIn(at, entry, limit));
    if (shared === 'reserved') {
      entry.inRedis = 'yes';
      this.inFlight.set(field, entry);
      return entry;
    }
    if (shared !== undefined) return shared;
    if (client !== undefined) entry.inRedis = 'perhaps';
    let isReserved = false;
    try {
      const outcome = await this.reserveHere(entry, limit);
      isReserved = 'amount' in outcome;
      return outcome;
    } finally {
      if (!isReserved && client !== undefined) {
        this.degradedBalances.set(field, { reservation: entry, actual: NO_COST, isCountedAnyway: false });
      }
    }
  }

  /**
   * Ends a reservation with the actual cost.
   *
   * @returns what the account has spent in the period, or undefined when it is not known now
   */
  async settle({ field }: Reservation, actual: NanoDollars): Promise<number | undefined> {
    const entry = this.inFlight.get(field);
    if (entry === undefined) return undefined;
    await this.restoring;
    this.inFlight.delete(field);
    const { balance, inStore } = entry;
    const here = inStore ? await this.store.settle(balance, field, actual) : undefined;
    if (!this.redis.isConfigured) return here;
    const { client } = this.redis;
    if (entry.inRedis === 'no') {
      this.addAlone(balance, actual);
      if (client !== undefined) void this.resync();
      return here;
    }
    const spent = client === undefined ? undefined : await this.redis.command((at) => this.settleIn(at, entry, actual));
    if (spent === undefined) {
      this.degradedBalances.set(field, { reservation: entry, actual, isCountedAnyway: client === undefined });
    }
    return spent ?? here;
  }

  private async reserveIn(client: RedisConnection, entry: InFlight, limit: NanoDollars): Promise<'reserved' | NoRoom> {
    for (;;) {
      const { outcome, spent, reserved } = await sharedBalances.reserve(client, entry, limit);
      if (outcome === 'reserved') return 'reserved';
      if (outcome === 'full') return { spent, reserved };
      await this.openIn(client, entry);
    }
  }

  private async settleIn(client: RedisConnection, entry: InFlight, actual: NanoDollars): Promise<NanoDollars> {
    const { amount, since } = entry;
    // An expired reservation that is not there any more already counts as spent.
    const absent = performance.now() - since > RESERVATION_MS ? actual - amount : actual;
    for (;;) {
      const spent = await sharedBalances.settle(client, entry, actual, true, absent);
      if (spent !== undefined) return spent;
      await this.openIn(client, entry);
    }
  }

  /** Opens a balance in Redis with the sum of the records, once every replica has reported its calls in flight. */
  private async openIn(client: RedisConnection, { account, period, balance }: InFlight): Promise<void> {
    const waitUntil = performance.now() + MAX_WAIT_MS;
    for (;;) {
      const { name, ageMs } = await sharedBalances.life(client);
      if (name !== this.life) {
        await this.restoreIn(client, name);
        this.redis.publish(CHANNEL, { lost: name });
      }
      if (ageMs >= SETTLING_MS || performance.now() > waitUntil) break;
      await new Promise((resolve) => setTimeout(resolve, Math.min(SETTLING_MS - ageMs, 250)));
    }
    await this.restoreAll(client, balance);
    await sharedBalances.open(client, balance, await this.spend.total(account, period), period.end);
  }

  private async reserveHere(entry: InFlight, limit: NanoDollars): Promise<Reservation | NoRoom> {
    const { account, period, balance, field, amount } = entry;
    for (;;) {
      const outcome = await this.store.reserve(balance, field, amount, await this.limitHere(entry, limit));
      if (outcome === 'reserved') {
        entry.inStore = true;
        this.inFlight.set(field, entry);
        return entry;
      }
      if (outcome !== 'unknown') return outcome;
      await this.openHere(balance, account, period);
    }
  }

  /** Without Redis each replica may spend its share of what was left by the records at the start. */
  private async limitHere({ account, period, balance }: InFlight, limit: NanoDollars): Promise<number> {
    if (!this.redis.isConfigured) return limit;
    let beginning = this.alone.get(balance);
    if (beginning === undefined) {
      beginning = this.spend.total(account, period);
      this.alone.set(balance, beginning);
      beginning.catch(() => this.alone.delete(balance));
    }
    const known = await beginning;
    return known + Math.floor(Math.max(0, limit - known) / this.replicas.count);
  }

  /** Many calls may find a balance unknown at once; one of them reads the records. */
  private openHere(balance: string, account: string, period: PeriodSpan): Promise<void> {
    let opening = this.opening.get(balance);
    if (opening === undefined) {
      opening = this.spend
        .total(account, period)
        .then(async (spent) => {
          await this.store.open(balance, spent);
          for (const entry of this.inFlight.values()) {
            if (entry.balance !== balance || entry.inStore) continue;
            await this.store.reserve(balance, entry.field, entry.amount, MAX_NANO_DOLLARS * 1_000);
            entry.inStore = true;
          }
        })
        .finally(() => this.opening.delete(balance));
      this.opening.set(balance, opening);
    }
    return opening;
  }

  private addAlone(balance: string, amount: NanoDollars): void {
    this.spentAlone.set(balance, boundNanoDollars((this.spentAlone.get(balance) ?? 0) + amount));
  }

  /** Redis is reachable again, or another replica reports that it has lost its data. Reservations wait until this is done. */
  private resync(): Promise<void> {
    this.restoring ??= this.redis
      .run(async (client) => {
        const { name } = await sharedBalances.life(client);
        const isNew = this.life !== undefined && name !== this.life;
        await this.restoreIn(client, name);
        if (isNew) this.redis.publish(CHANNEL, { lost: name });
      })
      .then(
        () => undefined,
        (error: unknown) => {
          this.logger.error({ msg: 'balances could not be shared again', error: describeError(error) });
        },
      )
      .finally(() => {
        this.restoring = undefined;
      });
    return this.restoring;
  }

  /** @param life the name of Redis' current life, see `sharedBalances.life` */
  private async restoreIn(client: RedisConnection, life: string): Promise<void> {
    const isLost = this.life !== undefined && life !== this.life;
    this.life = life;
    if (isLost) {
      // Ended calls are in the records or will be shortly, and balances start with the records.
      this.logger.warn({
        msg: 'Redis has lost its memory; budgets begin again with the records',
        calls: this.inFlight.size,
      });
      this.spentAlone.clear();
      this.degradedBalances.clear();
      for (const entry of this.inFlight.values()) entry.inRedis = 'no';
      await this.spend.flush();
    }
    for (const balance of this.alone.keys()) this.store.forget(balance);
    this.alone.clear();
    for (const entry of this.inFlight.values()) entry.inStore = false;
    await this.restoreAll(client);
    for (const [field, each] of [...this.degradedBalances]) {
      const { reservation, actual, isCountedAnyway } = each;
      each.isCountedAnyway = false;
      await sharedBalances.settle(client, reservation, actual, isCountedAnyway);
      this.degradedBalances.delete(field);
    }
    for (const [balance, amount] of [...this.spentAlone]) {
      this.spentAlone.delete(balance);
      const id = randomUUID();
      try {
        await sharedBalances.add(client, balance, id, amount);
      } catch (error) {
        this.addAlone(balance, amount);
        throw error;
      }
    }
  }

  private async restoreAll(client: RedisConnection, balance?: string): Promise<void> {
    for (const entry of this.inFlight.values()) {
      // A balance that was reopened may have lost its reservations; those still there stay unchanged.
      if (balance === undefined ? entry.inRedis === 'yes' : entry.balance !== balance) continue;
      await sharedBalances.restore(client, entry);
      entry.inRedis = 'yes';
    }
  }
}
