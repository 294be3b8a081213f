import { randomBytes } from 'node:crypto';

/** In front of the digits where JSON text holds a long integer as a string. Random, so that no text from outside has it. */
export const MARK = `\ue000${randomBytes(6).toString('hex')}:`;

/**
 * An integer of JSON beyond 2^53, which a double would change. It is neither a number, a text, an array nor what `isObject` takes for
 * an object, so that no reader mistakes it for a value of another type. `asNumber` rounds it; `printExact` prints its digits.
 */
export class LongInteger {
  constructor(readonly digits: string) {}

  /** What `printExact` replaces by the digits. */
  toJSON(): string {
    return MARK + this.digits;
  }
}
