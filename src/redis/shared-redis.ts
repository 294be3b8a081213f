import { setTimeout as delay } from 'node:timers/promises';
import { Logger, OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { Periodic } from '../runtime/periodic.js';
import { describeError } from '../errors/describe-error.js';
import type { connectRedis, RedisConnection } from './connect-redis.js';
import { isCommandFault, isServerFault, isTooSlow } from './redis-faults.js';

/** Longest that a request may wait for Redis, in milliseconds: above this, going on alone is better. */
const COMMAND_TIMEOUT_MS = 250;
/** How often Redis is asked whether it is back, in milliseconds; requests continue without it meanwhile. */
const PROBE_INTERVAL_MS = 500;
/** Written to find out whether Redis takes writes again, and how long it lasts, in milliseconds. */
const PROBE_KEY = 'gateway:probe';
const PROBE_TTL_MS = 1_000;
/** Longest pause before the next try to connect, in milliseconds. */
const MAX_RETRY_DELAY_MS = 1_000;
/** Longest that a start waits to be connected, in milliseconds; afterwards the process serves alone. */
const MAX_START_WAIT_MS = 3_000;

/**
 * The Redis that replicas share to act as one: limits, and messages about keys and deployments. No response depends on it: while
 * it is unreachable each process works alone. A start waits for the connection, within a bound, so that the first request is counted
 * with those of the other replicas.
 */
export class SharedRedis implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Redis');
  private readonly commands: RedisConnection | undefined;
  private readonly subscriber: RedisConnection | undefined;
  private readonly readyListeners: (() => void)[] = [];
  private readonly listeners = new Map<string, (message: string) => void>();
  private readonly subscriptions: Promise<unknown>[] = [];
  /** Ends the wait of a start. */
  private readonly startWait = new AbortController();
  private probe: Periodic | undefined;
  private isAway = false;

  /** @param connect what makes the clients, which is loaded only where there is a Redis */
  constructor(redisUrl?: string, connect?: typeof connectRedis) {
    if (redisUrl === undefined || connect === undefined) return;
    const options = {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      connectTimeout: 2_000,
      retryStrategy: (times: number) => Math.min(MAX_RETRY_DELAY_MS, times * 100),
    };
    this.commands = connect(redisUrl, { ...options, commandTimeout: COMMAND_TIMEOUT_MS });
    // The INFO of a ready check is refused on a connection that has subscribed before its response came.
    const forMessages = { enableOfflineQueue: true, maxRetriesPerRequest: null, enableReadyCheck: false };
    this.subscriber = connect(redisUrl, { ...options, ...forMessages });
    for (const client of [this.commands, this.subscriber]) client.on('error', this.onError);
    this.commands.on('ready', () => this.isBack());
    this.subscriber.on('message', (channel: string, message: string) => this.listeners.get(channel)?.(message));
  }

  /** The client for commands, or undefined when there is no Redis or it does not respond now. */
  get client(): RedisConnection | undefined {
    return this.commands?.status === 'ready' && this.probe === undefined ? this.commands : undefined;
  }

  get isConfigured(): boolean {
    return this.commands !== undefined;
  }

  /**
   * Runs commands; undefined when Redis cannot be reached in time, or accepts no writes from any client, which is then logged once.
   *
   * @throws the error of a command that fails although Redis is reachable, such as one on a key of another type
   */
  async command<Result>(work: (client: RedisConnection) => Promise<Result>): Promise<Result | undefined> {
    const { client } = this;
    if (client === undefined) return undefined;
    try {
      return await work(client);
    } catch (error) {
      if (isCommandFault(error)) throw error;
      this.onError(error);
      this.rest(client);
      return undefined;
    }
  }

  /** As `command`, for what can do without: a command that fails is logged and gives undefined too. */
  async run<Result>(work: (client: RedisConnection) => Promise<Result>): Promise<Result | undefined> {
    try {
      return await this.command(work);
    } catch (error) {
      this.logger.error({ msg: 'a command of Redis failed', error: describeError(error) });
      return undefined;
    }
  }

  /** Sends a message to all processes, this one included, if Redis is reachable. */
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
    this.subscriptions.push(this.subscriber.subscribe(channel).catch(this.onError));
  }

  /** Waits until Redis responds and all subscriptions stand, or cannot be reached, or until the bound of a start has passed. */
  async onApplicationBootstrap(): Promise<void> {
    const { commands, startWait } = this;
    if (commands === undefined || startWait.signal.aborted) return;
    const ready = new Promise<void>((resolve) => {
      if (commands.status === 'ready') resolve();
      else commands.once('ready', resolve);
    });
    const end = delay(MAX_START_WAIT_MS, undefined, { signal: startWait.signal }).catch(() => undefined);
    await Promise.race([Promise.all([ready, ...this.subscriptions]), end]);
    startWait.abort();
  }

  /** After one request has timed out, the others do not try before a probe has succeeded. */
  private rest(client: RedisConnection): void {
    if (this.probe !== undefined) return;
    const probe = async (): Promise<void> => {
      await client.set(PROBE_KEY, 1, 'PX', PROBE_TTL_MS);
      this.isBack();
    };
    this.probe = new Periodic(probe, { intervalMs: PROBE_INTERVAL_MS, onError: () => undefined });
  }

  private isBack(): void {
    void this.probe?.stop();
    this.probe = undefined;
    if (this.isAway) this.logger.log('Redis is back; limits and messages are shared again');
    this.isAway = false;
    for (const listener of this.readyListeners) listener();
  }

  onApplicationShutdown(): void {
    void this.probe?.stop();
    this.commands?.disconnect();
    this.subscriber?.disconnect();
  }

  private readonly onError = (error: unknown): void => {
    // A start that is busy with itself may see a response late; the next try follows in the same wait.
    if (!isTooSlow(error)) this.startWait.abort();
    if (this.isAway) return;
    this.isAway = true;
    const what = isServerFault(error) ? 'takes no writes' : 'cannot be reached';
    this.logger.warn({ msg: `Redis ${what}; this process goes on alone`, error: describeError(error) });
  };
}
