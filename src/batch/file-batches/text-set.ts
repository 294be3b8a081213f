import { createHash } from 'node:crypto';

const FIRST_SLOTS = 1_024;
/** Slots in use above which the table is doubled. */
const MAX_LOAD = 0.5;
const WORDS = 2;

/**
 * A set of texts that keeps 64 bits of a hash of each, so that a million of them need 32 MB at most, however long they are. Two texts of
 * a million have the same bits with a probability of 3 in 100 million.
 */
export class TextSet {
  private slots = FIRST_SLOTS;
  private table = new Uint32Array(FIRST_SLOTS * WORDS);
  size = 0;

  /** @returns whether the text was not in the set */
  add(text: string): boolean {
    const hash = createHash('md5').update(text).digest();
    // Zero marks a free slot.
    const first = hash.readUInt32LE(0) || 1;
    const second = hash.readUInt32LE(4);
    if (!this.insert(first, second)) return false;
    this.size += 1;
    if (this.size > this.slots * MAX_LOAD) this.grow();
    return true;
  }

  private insert(first: number, second: number): boolean {
    const { table, slots } = this;
    for (let slot = second % slots; ; slot = (slot + 1) % slots) {
      const at = slot * WORDS;
      if (table[at] === 0) {
        table[at] = first;
        table[at + 1] = second;
        return true;
      }
      if (table[at] === first && table[at + 1] === second) return false;
    }
  }

  private grow(): void {
    const former = this.table;
    this.slots *= 2;
    this.table = new Uint32Array(this.slots * WORDS);
    for (let at = 0; at < former.length; at += WORDS) {
      const first = former[at] ?? 0;
      if (first !== 0) this.insert(first, former[at + 1] ?? 0);
    }
  }
}
