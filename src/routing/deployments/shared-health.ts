import { Injectable, OnApplicationBootstrap } from '@nestjs/common';
import { isObject } from '../../runtime/json-value.js';
import { Broadcast } from '../../cluster/broadcast.js';
import { SharedRedis } from '../../redis/shared-redis.js';
import type { HealthEvent } from './deployment-health.js';
import { Deployments } from './deployments.service.js';

const CHANNEL = 'gateway:deployments';
/** What a process that starts later should know. */
const TABLE = 'gateway:deployments:known';
/** Milliseconds: twice the longest that anything in it holds. */
const TABLE_TTL_MS = 600_000;

/**
 * Shares openings of breakers and the pauses that providers ask for with the other processes, so that a provider in trouble is
 * found out once and not by each of them. Probes of a half-open breaker stay each process's own.
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

  /** What was found out before this process could hear of it. */
  private async catchUp(): Promise<void> {
    const known = await this.redis.run((client) => client.hvals(TABLE));
    for (const text of known ?? []) {
      try {
        this.learn(JSON.parse(text));
      } catch {
        // Written by another version; it says nothing to this one.
      }
    }
  }

  private publish(id: string, event: HealthEvent): void {
    const message = { id, ...event };
    // A pause and an opening of the same deployment do not replace each other.
    const keepAs = event.kind === 'wait' ? `${id} wait` : id;
    void this.broadcast.publish(CHANNEL, message, keepAs);
    void this.redis.run<unknown>((client) =>
      event.kind === 'closed'
        ? client.hdel(TABLE, id)
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
    else if (kind === 'wait') health.applyPeerState({ kind, until, key });
    else if (kind === 'open' && typeof openFor === 'number') health.applyPeerState({ kind, until, openFor, key });
  }
}
