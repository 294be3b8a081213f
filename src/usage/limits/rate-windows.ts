import { Injectable } from '@nestjs/common';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { RedisConnection } from '../../redis/connect-redis.js';
import { SharedRedis } from '../../redis/shared-redis.js';
import { type Full, LimitStore, type Window } from './limit-store.js';
import { judge, WINDOW_OPTIONS } from './window.js';

/** What was taken of a window, to be given back or corrected while that window lasts. */
export interface Taken extends Window {
  readonly id: string;
  readonly limit: number;
  readonly points: number;
  /** Whether Redis counts it. */
  readonly isShared: boolean;
}

/** Counts in windows of a minute that begin with the first request, in Redis for all processes or on this machine. */
@Injectable()
export class RateWindows {
  private shared: { client: RedisConnection; limiter: RateLimiterRedis } | undefined;

  constructor(
    private readonly redis: SharedRedis,
    private readonly store: LimitStore,
  ) {}

  /** @param limit points that a window has */
  async take(id: string, limit: number, points: number): Promise<Taken | Full> {
    const inRedis = await this.redis.run((client) => this.limiterAt(client).consume(id, points));
    const isShared = inRedis !== undefined;
    const outcome = isShared ? judge(inRedis, limit, points) : await this.store.takePoints(id, limit, points);
    if ('endsAt' in outcome) return { id, limit, points, ...outcome, isShared };
    if (isShared) await this.changeInRedis(id, -points);
    return outcome;
  }

  /** Corrects what was taken to what it came to, while its window lasts. */
  async correct({ id, points, endsAt, isShared }: Taken, actual: number): Promise<void> {
    if (actual === points || Date.now() >= endsAt) return;
    if (isShared) await this.changeInRedis(id, actual - points);
    else this.store.changePoints(id, actual - points);
  }

  private async changeInRedis(id: string, points: number): Promise<void> {
    await this.redis.run((client) => {
      const limiter = this.limiterAt(client);
      return points < 0 ? limiter.reward(id, -points) : limiter.penalty(id, points);
    });
  }

  private limiterAt(client: RedisConnection): RateLimiterRedis {
    if (this.shared?.client !== client) {
      this.shared = { client, limiter: new RateLimiterRedis({ ...WINDOW_OPTIONS, storeClient: client }) };
    }
    return this.shared.limiter;
  }
}
