import { randomFillSync } from 'node:crypto';

/** Bytes of an id: 96 bits, so that ids of all processes never meet. */
const LENGTH = 12;
/** Ids that one call to the generator is enough for; a call for each costs as much as the rest of the id. */
const IDS = 256;

const pool = Buffer.allocUnsafe(LENGTH * IDS);
let offset = pool.length;

/** A new id such as `req_0123456789abcdef01234567`, from the cryptographic generator. */
export function randomId(prefix: string): string {
  if (offset === pool.length) {
    randomFillSync(pool);
    offset = 0;
  }
  const id = prefix + pool.toString('hex', offset, offset + LENGTH);
  offset += LENGTH;
  return id;
}
