import { Injectable, OnApplicationBootstrap } from '@nestjs/common';
import { isObject } from '../../runtime/json-value.js';
import { Broadcast } from '../../cluster/broadcast.js';
import { SharedRedis } from '../../redis/shared-redis.js';
import type { HealthEvent } from './deployment-health.js';
import { Deployments } from './deployments.service.js';

const CHANNEL = 'gateway:deployments';
/** The Redis hash with the state for processes that start later. */
const TABLE = 'gateway:deployments:known';
/** Milliseconds: the longest validity of an entry, which is a pause for want of quota. */
const TABLE_TTL_MS = 24 * 3_600_000;

/**
 * Shares breaker openings, pauses and limits that are reached with the other processes, so that each process need not discover a
 * failing provider itself. Trials of a half-open breaker stay local to each process; one that did not open it waits a little longer.
 */
@Injectable()
export class SharedHealth implements OnApplicationBootstrap {
  constructor(
    private readonly redis: SharedRedis,
    private readonly broadcast: Broadcast,
    private readonly deployments: Deployments,
  ) {}

  onApplicationBootstrap(): void {
    this.deployments.onHealthEvent((id, event) => this.publish(id, event));
    this.broadcast.subscribe(CHANNEL, (message) => this.learn(message));
    this.redis.onReady(() => void this.catchUp());
  }

  /** Applies the state that was published before this process subscribed. */
  private async catchUp(): Promise<void> {
    const known = await this.redis.run((client) => client.hvals(TABLE));
    for (const text of known ?? []) {
      try {
        this.learn(JSON.parse(text));
      } catch {
        // Written by another version; ignored.
      }
    }
  }

  private publish(id: string, event: HealthEvent): void {
    const message = { id, ...event };
    // A pause must not replace an opening of the same deployment, and an opening must not replace a pause.
    const keepAs = event.kind === 'open' || event.kind === 'closed' ? id : `${id} ${event.kind}`;
    void this.broadcast.publish(CHANNEL, message, keepAs);
    // A process that starts later must not learn of a pause that has ended.
    if (event.kind === 'closed') void this.broadcast.publish(CHANNEL, message, `${id} quota`);
    void this.redis.run<unknown>((client) =>
      event.kind === 'closed'
        ? client.hdel(TABLE, id, `${id} quota`)
        : client.multi().hset(TABLE, keepAs, JSON.stringify(message)).pexpire(TABLE, TABLE_TTL_MS).exec(),
    );
  }

  private learn(message: unknown): void {
    if (!isObject(message) || typeof message['id'] !== 'string') return;
    const { id, kind, until, openFor } = message;
    const key = typeof message['key'] === 'string' ? message['key'] : undefined;
    const health = this.deployments.healthOf({ id });
    if (kind === 'closed') health.applyPeerState({ kind });
    else if (typeof until !== 'number') return;
    else if (kind === 'quota' || kind === 'limit') health.applyPeerState({ kind, until });
    else if (kind === 'wait') health.applyPeerState({ kind, until, key });
    else if (kind === 'open' && typeof openFor === 'number') health.applyPeerState({ kind, until, openFor, key });
  }
}
