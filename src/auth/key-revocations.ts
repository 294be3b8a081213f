import { Injectable } from '@nestjs/common';
import { Broadcast } from '../cluster/broadcast.js';

/** The channel for ids of keys that were just revoked. */
const REVOKED = 'gateway:keys-revoked';

/** Notifies components that work for a key of its revocation: in this process, in its peers, and with Redis everywhere. */
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

  /** @returns when all processes of this machine have been notified */
  async publish(keyId: string): Promise<void> {
    this.notify(keyId);
    await this.broadcast.publish(REVOKED, keyId);
  }

  private notify(keyId: string): void {
    for (const listener of this.listeners) listener(keyId);
  }
}
