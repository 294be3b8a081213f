import { InjectQueue } from '@nestjs/bull';
import { Injectable } from '@nestjs/common';
import type { Queue } from 'bull';
import { Gauge } from 'prom-client';
import { MetricsRegistry } from '../../metrics/metrics-registry.js';
import { SharedRedis } from '../../redis/shared-redis.js';
import { BATCH_QUEUE_NAME } from './bull-batch-queue.js';

/** Longest wait for Redis at a scrape, in milliseconds. */
const PING_TIMEOUT_MS = 1_000;

/** Whether Redis responds, and how fast; measured at each scrape. */
@Injectable()
export class RedisMetrics {
  constructor({ registry }: MetricsRegistry, @InjectQueue(BATCH_QUEUE_NAME) queue: Queue, shared: SharedRedis) {
    const registers = [registry];
    // Both gauges of a scrape share one PING, because collectors of a registry run concurrently.
    let asking: Promise<number | undefined> | undefined;
    const latencyOfScrape = (): Promise<number | undefined> =>
      (asking ??= latencyOf(queue).finally(() => {
        asking = undefined;
      }));
    new Gauge({
      name: 'gateway_redis_latency_seconds',
      help: 'Time that Redis took to respond to the PING of this scrape; NaN without a response.',
      aggregator: 'max',
      registers,
      async collect() {
        this.set((await latencyOfScrape()) ?? NaN);
      },
    });
    new Gauge({
      name: 'gateway_redis_up',
      help: '1 when Redis responded to the PING of this scrape and limits are counted in it, else 0.',
      aggregator: 'min',
      registers,
      async collect() {
        const latency = await latencyOfScrape();
        this.set(latency === undefined || shared.client === undefined ? 0 : 1);
      },
    });
  }
}

/** Seconds that Redis takes to respond; undefined when it does not. */
async function latencyOf(queue: Queue): Promise<number | undefined> {
  const started = performance.now();
  const isUp = queue.client.status === 'ready' && (await isResponding(queue));
  return isUp ? (performance.now() - started) / 1_000 : undefined;
}

async function isResponding(queue: Queue): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), PING_TIMEOUT_MS);
  });
  const pong = queue.client.ping().then(
    () => true,
    () => false,
  );
  const isUp = await Promise.race([pong, timeout]);
  clearTimeout(timer);
  return isUp;
}
