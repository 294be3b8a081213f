import { Injectable } from '@nestjs/common';
import { Broadcast } from '../cluster/broadcast.js';

/** Where processes tell each other the id of a key that has just been revoked. */
const REVOKED = 'gateway:keys-revoked';

/** Tells those who work for a key that it has been revoked: in this process, in those beside it, and with Redis everywhere. */
@Injectable()
export class KeyRevocations {
  private readonly listeners: ((keyId: string) => void)[] = [];

  constructor(private readonly broadcast: Broadcast) {
    broadcast.subscribe(REVOKED, (message) => {
      if (typeof message === 'string') this.notify(message);
    });
  }

  /** @param listener may be called more than once for one revocation */
  subscribe(listener: (keyId: string) => void): void {
    this.listeners.push(listener);
  }

  /** @returns when all processes of this machine have been told */
  async publish(keyId: string): Promise<void> {
    this.notify(keyId);
    await this.broadcast.publish(REVOKED, keyId);
  }

  private notify(keyId: string): void {
    for (const listener of this.listeners) listener(keyId);
  }
}
