import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Broadcast } from '../cluster/broadcast.js';
import { Database } from '../database/database.js';
import { SharedRedis } from '../redis/shared-redis.js';
import type { CancelSignal } from '../runtime/cancel-signal.js';
import { waitOrAbort } from '../runtime/delay.js';
import { isObject } from '../runtime/json-value.js';

const CHANNEL = 'gateway:responses';
/** Time between two looks of a reader that gets messages from every process that may make the response. Messages can be lost. */
const NOTIFIED_POLL_MS = 5_000;
/** Time between two looks where instances share only the database. */
const POLL_MS = 250;

/** Waits for the next change of one response. */
export interface ChangeWaiter {
  /** Resolves at once where the response has changed since the last time, else with the next change, or when it is time to look. */
  next(signal: CancelSignal): Promise<void>;
  close(): void;
}

/** Notifies those who read a response in the background, in all processes, that events were stored or that it has ended. */
@Injectable()
export class ResponseChanges implements OnApplicationBootstrap {
  private readonly waiters = new Map<string, Set<Waiter>>();

  constructor(
    private readonly broadcast: Broadcast,
    private readonly redis: SharedRedis,
    private readonly database: Database,
  ) {}

  onApplicationBootstrap(): void {
    this.broadcast.subscribe(CHANNEL, (message) => {
      if (isObject(message) && typeof message['response'] === 'string') this.wake(message['response']);
    });
  }

  /** Must be called after the commit of the change. */
  notify(keyId: string, responseId: string): void {
    const response = nameOf(keyId, responseId);
    this.wake(response);
    void this.broadcast.publish(CHANNEL, { response });
  }

  /** Must be opened before the first look, so that no change is missed. */
  open(keyId: string, responseId: string): ChangeWaiter {
    const name = nameOf(keyId, responseId);
    const waiters = this.waiters.get(name) ?? new Set();
    const waiter = new Waiter(
      () => this.pollMs,
      () => {
        waiters.delete(waiter);
        if (waiters.size === 0 && this.waiters.get(name) === waiters) this.waiters.delete(name);
      },
    );
    this.waiters.set(name, waiters.add(waiter));
    return waiter;
  }

  /** All processes that share an SQLite file are of this machine, where messages need no Redis. */
  private get pollMs(): number {
    const isNotified = this.database.dialect.isSqlite || this.redis.client !== undefined;
    return isNotified ? NOTIFIED_POLL_MS : POLL_MS;
  }

  private wake(name: string): void {
    for (const waiter of this.waiters.get(name) ?? []) waiter.wake();
  }
}

class Waiter implements ChangeWaiter {
  private hasChanged = false;
  private resolve: (() => void) | undefined;

  constructor(
    private readonly pollMs: () => number,
    readonly close: () => void,
  ) {}

  wake(): void {
    this.hasChanged = true;
    this.resolve?.();
  }

  async next(signal: CancelSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.hasChanged) {
      await waitOrAbort(signal, (resolve) => {
        const timer = setTimeout(resolve, this.pollMs());
        this.resolve = () => {
          clearTimeout(timer);
          resolve();
        };
        return () => clearTimeout(timer);
      });
    }
    this.hasChanged = false;
  }
}

function nameOf(keyId: string, responseId: string): string {
  return `${keyId} ${responseId}`;
}
