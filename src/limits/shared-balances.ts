import { randomUUID } from 'node:crypto';
import type { RedisConnection } from '../redis/connect-redis.js';
import { readNanoDollars, type NanoDollars } from '../runtime/nano-dollars.js';

/** Milliseconds after which a reservation of a dead process counts as spent: longer than any call. */
export const RESERVATION_MS = 1_800_000;
const PREFIX = 'gateway:budget:';
/** Gets a new name whenever Redis has lost its data. */
const LIFE = 'gateway:budget-life';
/** Milliseconds for which a balance is kept after its period. */
const KEPT_AFTER_MS = 86_400_000;

/**
 * Start of each script: a key of another type, or with a sum that is not a number, is damaged and is opened again from the
 * records. `now` is Redis' clock.
 */
const HEAD = `
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' and kind ~= 'none' then redis.call('DEL', KEYS[1]) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local spent = redis.call('HGET', KEYS[1], 'spent')
if spent and (not string.match(spent, '^%d+$') or string.len(spent) > 16) then
  redis.call('HDEL', KEYS[1], 'spent')
  spent = false
end
`;
/**
 * ARGV: amount, limit, field, duration. Reserves the amount if the balance covers it; under a field that there is, in its place. An expired reservation of a dead process
 * counts as spent: its provider may have billed it.
 */
const RESERVE = `${HEAD}
if not spent then return {-1, '0', '0'} end
local reserved = 0
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if string.sub(all[i], 1, 2) == 'r:' and all[i] ~= ARGV[3] then
    local amount, till = string.match(all[i + 1], '^(%d+):(%d+)$')
    if not amount then redis.call('HDEL', KEYS[1], all[i])
    elseif tonumber(till) < now then
      redis.call('HDEL', KEYS[1], all[i])
      spent = string.format('%.0f', redis.call('HINCRBY', KEYS[1], 'spent', amount))
    else reserved = reserved + tonumber(amount) end
  end
end
reserved = string.format('%.0f', reserved)
if tonumber(spent) + reserved + tonumber(ARGV[1]) > tonumber(ARGV[2]) then return {0, spent, reserved} end
redis.call('HSET', KEYS[1], ARGV[3], ARGV[1] .. ':' .. string.format('%.0f', now + ARGV[4]))
return {1, spent, reserved}`;
/**
 * ARGV: field, actual cost, 1 to count it although there is no reservation under the field, what it counts as then. Returns the sum,
 * -1 when unknown.
 */
const SETTLE = `${HEAD}
if not spent then
  if ARGV[3] == '0' then redis.call('HDEL', KEYS[1], ARGV[1]) end
  return '-1'
end
if redis.call('HDEL', KEYS[1], ARGV[1]) == 1 then redis.call('HINCRBY', KEYS[1], 'spent', ARGV[2])
elseif ARGV[3] == '1' then redis.call('HINCRBY', KEYS[1], 'spent', ARGV[4]) end
return redis.call('HGET', KEYS[1], 'spent')`;
/** ARGV: a field, an amount, duration. Reserves without a check of the limit, because the call is already in flight. */
const RESTORE = `${HEAD}
redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2] .. ':' .. string.format('%.0f', now + ARGV[3]))
if redis.call('PTTL', KEYS[1]) == -1 and ARGV[4] ~= '0' then redis.call('PEXPIREAT', KEYS[1], ARGV[4]) end
return 1`;
/** ARGV: an id of this addition, an amount. Adds what was spent without Redis, once. */
const ADD = `${HEAD}
if spent and redis.call('HSETNX', KEYS[1], ARGV[1], '1') == 1 then redis.call('HINCRBY', KEYS[1], 'spent', ARGV[2]) end
return 1`;
/** ARGV: a new name. Returns the name and its age in milliseconds. */
const NAME = `
if redis.call('TYPE', KEYS[1]).ok ~= 'string' then redis.call('DEL', KEYS[1]) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local value = redis.call('GET', KEYS[1])
local name, since = string.match(value or '', '^(.+)@(%d+)$')
if not name then
  name = ARGV[1]
  since = now
  redis.call('SET', KEYS[1], name .. '@' .. string.format('%.0f', now))
end
return {name, now - since}`;

/** A reservation of a balance in Redis. */
export interface SharedReservation {
  readonly balance: string;
  readonly field: string;
  readonly amount: NanoDollars;
  /** End of the period, in epoch milliseconds; Infinity for none. */
  readonly end: number;
}

/** The outcome of a reservation in Redis. `unknown`: the sum has to be read from the records first. */
export interface SharedOutcome {
  readonly outcome: 'reserved' | 'full' | 'unknown';
  readonly spent: NanoDollars;
  readonly reserved: NanoDollars;
}

/** The operations on balances in Redis; each checks and counts atomically. */
export const sharedBalances = {
  async reserve(client: RedisConnection, reservation: SharedReservation, limit: number): Promise<SharedOutcome> {
    const { balance, field, amount } = reservation;
    const response = await client.eval(RESERVE, 1, PREFIX + balance, amount, limit, field, RESERVATION_MS);
    const [code, spent, reserved] = response as [number, string, string];
    return {
      outcome: code === 1 ? 'reserved' : code === 0 ? 'full' : 'unknown',
      spent: amountOf(spent),
      reserved: amountOf(reserved),
    };
  },

  /**
   * @param absent what counts where the reservation is not there any more
   * @returns the sum; undefined when it has to be read from the records first
   */
  async settle(
    client: RedisConnection,
    { balance, field }: Pick<SharedReservation, 'balance' | 'field'>,
    actual: number,
    isCountedAnyway: boolean,
    absent = actual,
  ): Promise<NanoDollars | undefined> {
    const text = await client.eval(SETTLE, 1, PREFIX + balance, field, actual, isCountedAnyway ? 1 : 0, absent);
    return readNanoDollars(text);
  },

  async restore(client: RedisConnection, { balance, field, amount, end }: SharedReservation): Promise<void> {
    const expiry = end === Infinity ? 0 : end + KEPT_AFTER_MS;
    await client.eval(RESTORE, 1, PREFIX + balance, field, amount, RESERVATION_MS, expiry);
  },

  async add(client: RedisConnection, balance: string, id: string, amount: NanoDollars): Promise<void> {
    await client.eval(ADD, 1, PREFIX + balance, `d:${id}`, amount);
  },

  /** Sets the initial sum of a balance; only the first call has an effect. */
  async open(client: RedisConnection, balance: string, spent: NanoDollars, end: number): Promise<void> {
    await client.hsetnx(PREFIX + balance, 'spent', spent);
    if (end !== Infinity) await client.pexpireat(PREFIX + balance, end + KEPT_AFTER_MS);
  },

  /** The name of Redis' current life: a new name means that it has lost its data. */
  async life(client: RedisConnection): Promise<{ name: string; ageMs: number }> {
    const [name, age] = (await client.eval(NAME, 1, LIFE, randomUUID())) as [string, number];
    return { name, ageMs: age };
  },
};

function amountOf(text: string): NanoDollars {
  return readNanoDollars(text) ?? (0 as NanoDollars);
}
