import { randomFillSync } from 'node:crypto';

/** Bytes of an id: 96 bits, so that ids of all processes never meet. */
const ID_BYTES = 12;
/** Ids that one call to the generator is enough for; a call for each costs as much as the rest of the id. */
const IDS_PER_FILL = 256;

const pool = Buffer.allocUnsafe(ID_BYTES * IDS_PER_FILL);
let offset = pool.length;

/** A new id such as `req_0123456789abcdef01234567`, from the cryptographic generator. */
export function randomId(prefix: string): string {
  refill();
  return prefix + take();
}

/** No id is older: 2020-01-01. */
const FIRST_TIME = 1_577_836_800_000;
/** By how much the clocks of two processes may differ. */
const MAX_CLOCK_SKEW_MS = 3_600_000;

/** Bytes of the time in an id: milliseconds until the year 10889. */
const TIME_BYTES = 6;

/**
 * A new id that sorts by the time at which it was made, with 48 bits of chance: for tables that grow fast. Rows with such ids
 * are added at the end of an index, where random ones would change a page of it each.
 */
export function timeOrderedId(prefix: string, time = Date.now()): string {
  refill();
  pool.writeUIntBE(time, offset, TIME_BYTES);
  return prefix + take();
}

const TIME_ORDERED_ID = new RegExp(`^[a-z]+[_-]([0-9a-f]{${TIME_BYTES * 2}})[0-9a-f]{${(ID_BYTES - TIME_BYTES) * 2}}$`);

/**
 * The time in an id that sorts by it, so that its place in a list is known when its row is no longer there.
 *
 * @returns epoch milliseconds; undefined for what is no such id, as an id of chance alone nearly always is
 */
export function timeOfId(id: string): number | undefined {
  const [, hex = ''] = TIME_ORDERED_ID.exec(id) ?? [];
  const time = Number.parseInt(hex, 16);
  return time >= FIRST_TIME && time <= Date.now() + MAX_CLOCK_SKEW_MS ? time : undefined;
}

function refill(): void {
  if (offset < pool.length) return;
  randomFillSync(pool);
  offset = 0;
}

function take(): string {
  const text = pool.toString('hex', offset, offset + ID_BYTES);
  offset += ID_BYTES;
  return text;
}
