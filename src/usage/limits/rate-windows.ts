import { Injectable } from '@nestjs/common';
import {
  RateLimiterMemory,
  RateLimiterRedis,
  type RateLimiterAbstract,
  type RateLimiterRes,
} from 'rate-limiter-flexible';
import type { Redis } from 'ioredis';
import { SharedRedis } from '../../redis/shared-redis.js';

/** Seconds. */
const WINDOW = 60;
const OPTIONS = { keyPrefix: 'gateway:rate', points: Number.MAX_SAFE_INTEGER, duration: WINDOW };

/** What was taken of a window, to be given back or corrected while that window lasts. */
export interface Taken {
  readonly id: string;
  readonly limit: number;
  readonly points: number;
  /** Points left in the window after it. */
  readonly remaining: number;
  /** Epoch milliseconds at which the window ends. */
  readonly endsAt: number;
  readonly isShared: boolean;
}

/** Milliseconds until the window ends. */
export interface Full {
  readonly retryAfter: number;
}

/**
 * Counts in windows of a minute that begin with the first request, in Redis for all processes or in this one. A count is
 * raised first and looked at then, in one step, so that of any number of concurrent requests exactly as many pass as may.
 */
@Injectable()
export class RateWindows {
  private readonly memory = new RateLimiterMemory(OPTIONS);
  private shared: { client: Redis; limiter: RateLimiterRedis } | undefined;

  constructor(private readonly redis: SharedRedis) {}

  /** @param limit points that a window has */
  async take(id: string, limit: number, points: number): Promise<Taken | Full> {
    const inRedis = await this.redis.run((client) => this.limiterAt(client).consume(id, points));
    const isShared = inRedis !== undefined;
    const state = inRedis ?? (await this.memory.consume(id, points));
    const { consumedPoints, msBeforeNext } = state;
    const remaining = limit - consumedPoints;
    // What is larger than the whole window passes when the window is empty, or it would never pass.
    if (remaining >= 0 || (points > limit && consumedPoints === points)) {
      const endsAt = Date.now() + msBeforeNext;
      return { id, limit, points, remaining: Math.max(0, remaining), endsAt, isShared };
    }
    await this.change(id, -points, isShared);
    return { retryAfter: Math.max(1, msBeforeNext) };
  }

  /** Corrects what was taken to what it came to, while its window lasts. */
  async correct({ id, points, endsAt, isShared }: Taken, actual: number): Promise<void> {
    if (actual !== points && Date.now() < endsAt) await this.change(id, actual - points, isShared);
  }

  private async change(id: string, points: number, isShared: boolean): Promise<void> {
    const apply = (limiter: RateLimiterAbstract): Promise<RateLimiterRes> =>
      points < 0 ? limiter.reward(id, -points) : limiter.penalty(id, points);
    if (isShared) await this.redis.run((client) => apply(this.limiterAt(client)));
    else await apply(this.memory);
  }

  private limiterAt(client: Redis): RateLimiterRedis {
    if (this.shared?.client !== client) {
      this.shared = { client, limiter: new RateLimiterRedis({ ...OPTIONS, storeClient: client }) };
    }
    return this.shared.limiter;
  }
}
