import { Logger } from '@nestjs/common';
import { isDatabaseUnavailable } from '../errors/database-error.js';
import { describeError } from '../errors/describe-error.js';

/** Longest delay of an item before it is written, in milliseconds: what a SIGKILL can lose. */
const MAX_WRITE_DELAY_MS = 500;
/** Longest delay between two attempts while the database is unreachable, in milliseconds. */
const MAX_RETRY_DELAY_MS = 5_000;
/** How long a shutdown waits for the database to accept the last items, in milliseconds, and between two attempts. */
const SHUTDOWN_TIMEOUT_MS = 5_000;
const SHUTDOWN_RETRY_DELAY_MS = 200;

/** Options of a buffer that is written in the background. */
export interface WriteBehindOptions<Item> {
  /** The name of the items in the log. */
  readonly what: string;
  readonly logger: Logger;
  /**
   * Writes all items or none. Called one at a time, and again with the same items after a failure, so it must be idempotent: an
   * unconfirmed write may have been committed.
   */
  readonly store: (items: readonly Item[]) => Promise<void>;
  /** Items that are stored at once. */
  readonly batch: number;
  /** Characters of an item, for the bound. */
  readonly sizeOf: (item: Item) => number;
  /** Most characters in the queue; further items are dropped. */
  readonly mostWaiting: number;
  readonly onDropped: (items: number) => void;
  /**
   * Called with an item that the database refuses although it is reachable, and its error. The returned item is stored instead;
   * undefined drops the item.
   */
  readonly quarantine?: (item: Item, error: unknown) => Item | undefined;
}

/**
 * Writes items in batches, off the path of requests. While the database is unreachable they wait in a bounded buffer. An item
 * that the database refuses is found by bisection and quarantined, so that it does not block the others.
 */
export class WriteBehind<Item> {
  private readonly waiting: Item[] = [];
  private size = 0;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | undefined;
  private failures = 0;
  private hasOverflowed = false;
  private isClosing = false;

  constructor(private readonly options: WriteBehindOptions<Item>) {}

  /** Items that are not in the database yet. */
  get length(): number {
    return this.waiting.length;
  }

  add(item: Item): void {
    const { sizeOf, mostWaiting, batch, what, logger } = this.options;
    const size = sizeOf(item);
    if (this.size + size > mostWaiting) {
      this.options.onDropped(1);
      if (!this.hasOverflowed)
        logger.error({ msg: `the buffer of ${what} is full; new ones are lost`, size: this.size });
      this.hasOverflowed = true;
      return;
    }
    this.size += size;
    this.waiting.push(item);
    if (this.waiting.length >= batch && this.failures === 0) this.write();
    else this.schedule();
  }

  /** Resolves when everything that was added before is in the database, or has failed once. */
  async flush(): Promise<void> {
    await this.writing;
    this.write();
    await this.writing;
  }

  /** Writes the queue, or drops it after a timeout. Items added later are written only by `flush`. */
  async close(): Promise<void> {
    this.isClosing = true;
    const deadline = performance.now() + SHUTDOWN_TIMEOUT_MS;
    await this.flush();
    while (this.waiting.length > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, SHUTDOWN_RETRY_DELAY_MS));
      await this.flush();
    }
    clearTimeout(this.timer);
    const lost = this.waiting.length;
    if (lost === 0) return;
    this.options.onDropped(lost);
    this.options.logger.error({ msg: `${this.options.what} are lost: the database did not take them`, lost });
  }

  private schedule(): void {
    if (this.isClosing || this.writing !== undefined) return;
    const pause =
      this.failures === 0 ? MAX_WRITE_DELAY_MS : Math.min(MAX_RETRY_DELAY_MS, MAX_WRITE_DELAY_MS * 2 ** this.failures);
    this.timer ??= setTimeout(() => this.write(), pause).unref();
  }

  private write(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.writing ??= this.writeAll().finally(() => {
      this.writing = undefined;
      if (this.waiting.length > 0) this.schedule();
    });
  }

  private async writeAll(): Promise<void> {
    const { batch, sizeOf, what, logger } = this.options;
    while (this.waiting.length > 0) {
      // One item is enough to probe whether the database is reachable.
      const items = this.waiting.slice(0, this.failures === 0 ? batch : 1);
      try {
        await this.storeOrQuarantine(items);
      } catch (error) {
        this.failures += 1;
        if (this.failures === 1) logger.error({ msg: `${what} wait for the database`, error: describeError(error) });
        return;
      }
      this.waiting.splice(0, items.length);
      for (const item of items) this.size -= sizeOf(item);
      if (this.failures > 0) logger.log({ msg: `${what} are written again`, waiting: this.waiting.length });
      this.failures = 0;
      this.hasOverflowed = false;
    }
  }

  /** @throws the error if the database is unreachable; items of which some are stored already may be passed again */
  private async storeOrQuarantine(items: readonly Item[]): Promise<void> {
    const { store, what, logger, quarantine, onDropped } = this.options;
    try {
      await store(items);
      return;
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      const [item] = items;
      if (items.length === 1 && item !== undefined) {
        logger.error({
          msg: `one of the ${what} is refused by the database and quarantined`,
          error: describeError(error),
        });
        const replacement = quarantine?.(item, error);
        // If the replacement is refused as well, the database is at fault, and everything waits.
        if (replacement === undefined) onDropped(1);
        else await store([replacement]);
        return;
      }
    }
    const half = Math.ceil(items.length / 2);
    await this.storeOrQuarantine(items.slice(0, half));
    await this.storeOrQuarantine(items.slice(half));
  }
}
