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

/** Bytes of the time in an id: milliseconds until the year 10889. */
const TIME_BYTES = 6;

/**
 * A new id that sorts by the time at which it was made, with 48 bits of chance: for tables that grow fast. Rows with such ids
 * are added at the end of an index, where random ones would change a page of it each.
 */
export function timeOrderedId(prefix: string): string {
  refill();
  pool.writeUIntBE(Date.now(), offset, TIME_BYTES);
  return prefix + take();
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
