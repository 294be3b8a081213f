import cluster, { type Worker } from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { randomId } from '../runtime/random-id.js';
import { PrimaryHub, type WorkerService } from './primary-hub.js';
import { IpcChannel } from './ipc-channel.js';
import type { MetricFamily } from './merge-metrics.js';
import type { Listening } from './worker.js';

/** Delays before a process that died is started again, in milliseconds: none at first, then increasing. */
const FIRST_RESTART_DELAY_MS = 200;
const MAX_RESTART_DELAY_MS = 30_000;
/** Milliseconds without a death after which the next one counts as the first. */
const STABLE_AFTER_MS = 60_000;
/** Time beyond its drain timeout after which a process that has not exited is killed, in milliseconds. */
const KILL_GRACE_MS = 15_000;

/** How long output of a process may arrive after its exit, in milliseconds. */
const FLUSH_GRACE_MS = 100;

/**
 * Each process accepts its connections itself. With Node.js' default (round robin), connections that were just handed to a
 * process that is killed would stay open without a response.
 */
cluster.schedulingPolicy = cluster.SCHED_NONE;

/** A process ended before it listened. */
export class StartFailure extends Error {
  /** @param code its exit code; null when a signal ended it */
  constructor(readonly code: number | null) {
    super(`the process ended with ${code ?? 'a signal'} before it listened`);
  }
}

interface Member {
  readonly worker: Worker;
  readonly link: IpcChannel;
  readonly exited: Promise<void>;
  state: 'starting' | 'serving' | 'leaving';
  /** Null while it runs, and when a signal ended it. */
  code: number | null;
}

/** Starts the processes and keeps them running. */
export class Supervisor {
  private readonly members = new Set<Member>();
  private readonly hub: PrimaryHub;
  private isStopping = false;
  private rolling: Promise<void> | undefined;
  private rollAgain = false;
  /** Names the replacement of all processes that is in progress. */
  private replacement: string | undefined;
  private deaths = 0;
  private lastDeath = -Infinity;
  private restarts = 0;

  constructor(
    private readonly count: number,
    /** Milliseconds. */
    private readonly drainTimeoutMs: number,
    private readonly logger: Logger,
    services: readonly WorkerService[],
  ) {
    this.hub = new PrimaryHub(() => this.metrics(), services);
  }

  /**
   * Starts one process, which migrates the database and makes the first key, and then the others.
   *
   * @throws StartFailure when the first one ends before it listens
   */
  async start(): Promise<Listening> {
    const where = await this.fork();
    const others = Array.from({ length: this.count - 1 }, () => this.fork().catch(() => this.fill()));
    await Promise.all(others);
    return where;
  }

  /** Replaces the processes one by one: a new one serves before an old one is asked to stop. */
  roll(): Promise<void> {
    if (this.rolling !== undefined) this.rollAgain = true;
    this.rolling ??= this.rollAll().finally(() => {
      this.rolling = undefined;
      this.replacement = undefined;
      if (!this.rollAgain) return;
      this.rollAgain = false;
      void this.roll();
    });
    return this.rolling;
  }

  /** @returns whether all of them ended well */
  async stop(): Promise<boolean> {
    this.isStopping = true;
    const members = [...this.members];
    for (const { worker } of members) worker.process.kill('SIGTERM');
    await Promise.all(members.map((member) => this.ended(member)));
    // One that was still starting had nothing to end well.
    return members.every(({ state, code }) => code === 0 || state === 'starting');
  }

  kill(): void {
    for (const { worker } of this.members) worker.process.kill('SIGKILL');
  }

  private async rollAll(): Promise<void> {
    this.replacement = randomId('roll_');
    for (const old of [...this.members]) {
      if (!this.isServing(old)) continue;
      try {
        await this.fork();
      } catch (error) {
        if (this.isStopping) return;
        this.logger.error({ reason: String(error) }, 'a new process did not start, and the old ones stay');
        void this.fill();
        return;
      }
      if (!this.isServing(old)) continue;
      old.state = 'leaving';
      old.link.notify('retire');
      await this.ended(old);
    }
    if (!this.isStopping) this.logger.info({ processes: this.members.size }, 'all processes have been replaced');
  }

  private isServing(member: Member): boolean {
    return !this.isStopping && member.state === 'serving' && this.members.has(member);
  }

  /** Waits until a process that was asked to stop has exited, and kills it after the timeout. */
  private async ended({ worker, exited }: Member): Promise<void> {
    const timer = setTimeout(() => worker.process.kill('SIGKILL'), this.drainTimeoutMs + KILL_GRACE_MS);
    await exited;
    clearTimeout(timer);
  }

  /** Starts processes until there are as many as there should be. */
  private async fill(): Promise<void> {
    for (;;) {
      const wait = this.nextWait();
      if (wait > 0) await delay(wait);
      const active = [...this.members].filter(({ state }) => state !== 'leaving').length;
      if (this.isStopping || active >= this.count) return;
      this.restarts += 1;
      try {
        await this.fork();
      } catch {
        continue;
      }
      return;
    }
  }

  private nextWait(): number {
    const now = performance.now();
    this.deaths = now - this.lastDeath > STABLE_AFTER_MS ? 0 : this.deaths + 1;
    this.lastDeath = now;
    return this.deaths === 0 ? 0 : Math.min(MAX_RESTART_DELAY_MS, FIRST_RESTART_DELAY_MS * 2 ** (this.deaths - 1));
  }

  /** @throws StartFailure when the process ends before it listens */
  private fork(): Promise<Listening> {
    const worker = cluster.fork();
    const { pid } = worker.process;
    const link = new IpcChannel((message) => {
      if (worker.isConnected()) worker.send(message as object, () => undefined);
    });
    const { serves, leaves } = this.hub.add(link);
    worker.on('message', (message) => link.receive(message));
    worker.on('error', (error) =>
      this.logger.debug({ pid, error: error.message }, 'a message to a process could not be sent'),
    );
    // All of its messages have been received by then.
    let isCutOff = false;
    worker.on('disconnect', () => {
      isCutOff = true;
      link.close();
      leaves();
    });
    let settle: () => void = () => undefined;
    const exited = new Promise<void>((resolve) => (settle = resolve));
    const member: Member = { worker, link, exited, state: 'starting', code: null };
    this.members.add(member);
    return new Promise((resolve, reject) => {
      link.handle('replacement', () => this.replacement);
      link.handle('listening', (where) => {
        member.state = 'serving';
        serves();
        this.logger.info({ process: pid }, 'a process serves');
        resolve(where as Listening);
      });
      worker.on('exit', (code: number | null, signal: string | null) => {
        this.members.delete(member);
        member.code = code;
        settle();
        // Node.js waits without end for the rest of a message that a killed process was writing.
        const cutOff = (): void => {
          if (!isCutOff) worker.process.emit('disconnect');
        };
        if (signal !== null) setImmediate(cutOff);
        else setTimeout(cutOff, FLUSH_GRACE_MS).unref();
        reject(new StartFailure(code));
        if (this.isStopping || member.state !== 'serving') return;
        this.logger.error({ process: pid, code, signal }, 'a process has ended; another one is started');
        void this.fill();
      });
    });
  }

  private metrics(): MetricFamily[] {
    const serving = [...this.members].filter(({ state }) => state === 'serving').length;
    return [
      {
        name: 'gateway_processes',
        help: 'Processes of this machine that serve.',
        type: 'gauge',
        values: [{ labels: {}, value: serving }],
      },
      {
        name: 'gateway_process_restarts_total',
        help: 'Starts of processes in place of ones that had died.',
        type: 'counter',
        values: [{ labels: {}, value: this.restarts }],
      },
    ];
  }
}
