import { Logger, OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { describeError } from '../errors/describe-error.js';

/** Longest that a request may wait for Redis, in milliseconds: above this, going on alone is better. */
const COMMAND_TIMEOUT = 250;
/** After a command that failed, how long Redis is not asked again, in milliseconds. */
const REST = 1_000;
/** Longest pause before the next try to connect, in milliseconds. */
const LONGEST_RETRY = 1_000;

/**
 * The Redis that replicas share, for what makes them act as one: limits, news of keys and deployments. It is never needed
 * to answer: while it is away each process goes on alone.
 */
export class SharedRedis implements OnApplicationShutdown {
  private readonly logger = new Logger('Redis');
  private readonly commands: Redis | undefined;
  private readonly subscriber: Redis | undefined;
  private readonly readyListeners: (() => void)[] = [];
  private readonly listeners = new Map<string, (message: string) => void>();
  private restUntil = 0;
  private isAway = false;

  /** @param RedisClient the class, which is loaded only where there is a Redis */
  constructor(redisUrl?: string, RedisClient?: typeof Redis) {
    if (redisUrl === undefined || RedisClient === undefined) return;
    const options = {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      connectTimeout: 2_000,
      retryStrategy: (times: number) => Math.min(LONGEST_RETRY, times * 100),
    };
    this.commands = new RedisClient(redisUrl, { ...options, commandTimeout: COMMAND_TIMEOUT });
    this.subscriber = new RedisClient(redisUrl, { ...options, enableOfflineQueue: true, maxRetriesPerRequest: null });
    for (const client of [this.commands, this.subscriber]) client.on('error', this.onError);
    this.commands.on('ready', () => {
      this.restUntil = 0;
      if (this.isAway) this.logger.log('Redis is back; limits and news are shared again');
      this.isAway = false;
      for (const listener of this.readyListeners) listener();
    });
    this.subscriber.on('message', (channel: string, message: string) => this.listeners.get(channel)?.(message));
  }

  /** The client for commands, or undefined when there is no Redis or it does not answer now. */
  get client(): Redis | undefined {
    if (this.commands?.status !== 'ready' || Date.now() < this.restUntil) return undefined;
    return this.commands;
  }

  get isConfigured(): boolean {
    return this.commands !== undefined;
  }

  /** Runs commands; undefined when Redis cannot answer in time, which is then said once in the log. */
  async run<Result>(work: (client: Redis) => Promise<Result>): Promise<Result | undefined> {
    const { client } = this;
    if (client === undefined) return undefined;
    try {
      return await work(client);
    } catch (error) {
      this.restUntil = Date.now() + REST;
      this.onError(error);
      return undefined;
    }
  }

  /** Tells the other processes, as far as Redis can be reached. This process hears its own messages too. */
  publish(channel: string, message: unknown): void {
    void this.run((client) => client.publish(channel, JSON.stringify(message)));
  }

  /** Calls back whenever the connection has been made, now if it is. */
  onReady(listener: () => void): void {
    this.readyListeners.push(listener);
    if (this.commands?.status === 'ready') listener();
  }

  /** Listens to a channel from now on, again after each reconnection. */
  subscribe(channel: string, listener: (message: unknown) => void): void {
    if (this.subscriber === undefined) return;
    this.listeners.set(channel, (text) => {
      let message: unknown;
      try {
        message = JSON.parse(text);
      } catch {
        return;
      }
      listener(message);
    });
    this.subscriber.subscribe(channel).catch(this.onError);
  }

  onApplicationShutdown(): void {
    this.commands?.disconnect();
    this.subscriber?.disconnect();
  }

  private readonly onError = (error: unknown): void => {
    if (this.isAway) return;
    this.isAway = true;
    this.logger.warn({ msg: 'Redis cannot be reached; this process goes on alone', error: describeError(error) });
  };
}
