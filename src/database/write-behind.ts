import { Logger } from '@nestjs/common';
import { isDatabaseUnavailable } from '../errors/database-error.js';
import { describeError } from '../errors/describe-error.js';

/** Milliseconds that an item waits for others at most: what a SIGKILL can lose. */
const MAX_WRITE_DELAY_MS = 500;
/** Longest pause between two tries while the database is away, in milliseconds. */
const MAX_RETRY_DELAY_MS = 5_000;
/** How long a shutdown waits for the database to take the last items, in milliseconds, and between two tries. */
const SHUTDOWN_TIMEOUT_MS = 5_000;
const SHUTDOWN_RETRY_DELAY_MS = 200;

export interface WriteBehindOptions<Item> {
  /** What the items are called in the log. */
  readonly what: string;
  readonly logger: Logger;
  /**
   * Writes items, all of them or none. Called one at a time, and again with the same items when it failed, so what was stored
   * although nobody heard of it must not become double.
   */
  readonly store: (items: readonly Item[]) => Promise<void>;
  /** Items that are stored at once. */
  readonly batch: number;
  /** Characters of an item, for the bound. */
  readonly sizeOf: (item: Item) => number;
  /** Characters that wait at most; what does not fit is dropped. */
  readonly mostWaiting: number;
  readonly onDropped: (items: number) => void;
  /**
   * Called with an item that the database refuses although it is there, and its error. What it returns is stored in its place;
   * undefined gives the item up.
   */
  readonly setAside?: (item: Item, error: unknown) => Item | undefined;
}

/**
 * Writes items in batches, off the path of requests. While the database is away they wait in a bounded buffer. An item that the
 * database refuses is found by halving the set, and set aside, so that it does not hold up the others.
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

  /** Writes what waits, or gives it up after a while. What is added later is written by `flush` alone. */
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
      // One is enough to find out whether the database is back.
      const items = this.waiting.slice(0, this.failures === 0 ? batch : 1);
      try {
        await this.storeOrSetAside(items);
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

  /** @throws what says that the database is away; items of which some are stored already may be given again */
  private async storeOrSetAside(items: readonly Item[]): Promise<void> {
    const { store, what, logger, setAside, onDropped } = this.options;
    try {
      await store(items);
      return;
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      const [item] = items;
      if (items.length === 1 && item !== undefined) {
        logger.error({
          msg: `one of the ${what} is refused by the database and set aside`,
          error: describeError(error),
        });
        const replacement = setAside?.(item, error);
        // Where even that is refused, the fault is the database's, and everything waits.
        if (replacement === undefined) onDropped(1);
        else await store([replacement]);
        return;
      }
    }
    const half = Math.ceil(items.length / 2);
    await this.storeOrSetAside(items.slice(0, half));
    await this.storeOrSetAside(items.slice(half));
  }
}
