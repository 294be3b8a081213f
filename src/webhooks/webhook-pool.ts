import { Injectable } from '@nestjs/common';

/** Deliveries in flight in a process, of one owner, and of all owners whose last delivery failed. */
const MAX_IN_FLIGHT = 256;
const MAX_PER_OWNER = 4;
const MAX_OF_FAILING_OWNERS = 128;
/** Deliveries that wait for a place. */
const MAX_WAITING_DELIVERIES = 1_000;
/** Owners whose last delivery failed, as far as they are remembered. */
const MAX_FAILING_OWNERS = 10_000;

interface Waiting {
  readonly owner: string;
  readonly start: (isOfFailing: boolean) => void;
}

/**
 * Bounds the deliveries in flight, with a share for each owner (a key, or the operator's alerts), so that slow or dead receivers of
 * one owner do not delay those of others. Owners whose last delivery failed have half of the slots together, so that many of them
 * at once leave the other half to the rest.
 */
@Injectable()
export class WebhookPool {
  private readonly inFlight = new Map<string, number>();
  private readonly failing = new Set<string>();
  private waiting: Waiting[] = [];
  private total = 0;
  private ofFailing = 0;

  /** Free slots, for owners that may have more. */
  get room(): number {
    return MAX_IN_FLIGHT - this.total;
  }

  /** How many deliveries of an owner may start now. */
  roomOf(owner: string): number {
    const ofGroup = this.failing.has(owner) ? Math.min(this.room, MAX_OF_FAILING_OWNERS - this.ofFailing) : this.room;
    return Math.max(0, Math.min(ofGroup, MAX_PER_OWNER - (this.inFlight.get(owner) ?? 0)));
  }

  /**
   * Runs a delivery when a slot of the owner is free.
   *
   * @param deliver rejects when the delivery failed
   * @throws what `deliver` throws; at once when too many deliveries wait
   */
  async run<Result>(owner: string, deliver: () => Promise<Result>): Promise<Result> {
    const isOfFailing = await this.place(owner);
    try {
      const result = await deliver();
      this.failing.delete(owner);
      return result;
    } catch (error) {
      if (this.failing.size >= MAX_FAILING_OWNERS) this.failing.clear();
      this.failing.add(owner);
      throw error;
    } finally {
      this.leave(owner, isOfFailing);
    }
  }

  /** @returns whether the place is one of those for failing owners */
  private async place(owner: string): Promise<boolean> {
    const hasRoom = this.roomOf(owner) > 0 && !this.waiting.some((each) => each.owner === owner);
    if (hasRoom) return this.enter(owner);
    if (this.waiting.length >= MAX_WAITING_DELIVERIES)
      throw new Error(`${MAX_WAITING_DELIVERIES} webhook deliveries wait already`);
    return new Promise((resolve) => {
      this.waiting.push({ owner, start: resolve });
    });
  }

  private enter(owner: string): boolean {
    const isOfFailing = this.failing.has(owner);
    if (isOfFailing) this.ofFailing += 1;
    this.total += 1;
    this.inFlight.set(owner, (this.inFlight.get(owner) ?? 0) + 1);
    return isOfFailing;
  }

  private leave(owner: string, isOfFailing: boolean): void {
    if (isOfFailing) this.ofFailing -= 1;
    this.total -= 1;
    const left = (this.inFlight.get(owner) ?? 1) - 1;
    if (left === 0) this.inFlight.delete(owner);
    else this.inFlight.set(owner, left);
    const still: Waiting[] = [];
    for (const each of this.waiting) {
      if (this.roomOf(each.owner) === 0) {
        still.push(each);
        continue;
      }
      each.start(this.enter(each.owner));
    }
    this.waiting = still;
  }
}
