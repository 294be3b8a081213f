import { Injectable } from '@nestjs/common';
import { RateLimiterRedis, type RateLimiterRes } from 'rate-limiter-flexible';
import type { RedisConnection } from '../redis/connect-redis.js';
import { isCommandFault } from '../redis/redis-faults.js';
import { SharedRedis } from '../redis/shared-redis.js';
import { type Full, LimitStore, type Window } from './limit-store.js';
import { Replicas } from './replicas.js';
import { judge, WINDOW_OPTIONS } from './window.js';

/** Points taken from a window, to be returned or corrected while that window lasts. */
export interface Taken extends Window {
  readonly id: string;
  readonly limit: number;
  readonly points: number;
  /** Whether Redis counts it. */
  readonly isShared: boolean;
}

/** Counts in windows of one minute that start with the first request, in Redis for all processes or on this machine. */
@Injectable()
export class RateWindows {
  private shared: { client: RedisConnection; limiter: RateLimiterRedis } | undefined;

  constructor(
    private readonly redis: SharedRedis,
    private readonly store: LimitStore,
    private readonly replicas: Replicas,
  ) {}

  /** @param limit points of a window */
  async take(id: string, limit: number, points: number): Promise<Taken | Full> {
    const inRedis = await this.redis.command((client) => this.consume(client, id, points));
    const isShared = inRedis !== undefined;
    const most = isShared || !this.redis.isConfigured ? limit : this.replicas.shareOf(limit);
    const outcome = isShared ? judge(inRedis, limit, points) : await this.store.takePoints(id, most, points);
    if ('endsAt' in outcome) return { id, limit, points, ...outcome, isShared };
    if (isShared) await this.changeInRedis(id, -points);
    return outcome;
  }

  /** A window whose count is not a number, is negative or has no expiry is damaged, and is started again. */
  private async consume(client: RedisConnection, id: string, points: number): Promise<RateLimiterRes> {
    const limiter = this.limiterAt(client);
    let counted: RateLimiterRes | undefined;
    try {
      counted = await limiter.consume(id, points);
    } catch (error) {
      if (!isCommandFault(error)) throw error;
    }
    if (counted !== undefined && isWhole(counted, points)) return counted;
    await client.del(limiter.getKey(id));
    return limiter.consume(id, points);
  }

  /** Corrects the points taken to the actual points, while the window lasts. */
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

function isWhole({ msBeforeNext, consumedPoints }: RateLimiterRes, points: number): boolean {
  return msBeforeNext > 0 && msBeforeNext <= WINDOW_OPTIONS.duration * 1_000 && consumedPoints >= points;
}
