import type { IpcChannel } from './ipc-channel.js';
import { lastingMetrics, mergeMetrics, type MetricFamily } from './merge-metrics.js';

/** Longest wait for a worker, in milliseconds: one that hangs must not hold up the others. */
const WORKER_TIMEOUT_MS = 2_000;
/** News that are kept for later processes: how long, in milliseconds, and how many. */
const MESSAGE_RETENTION_MS = 600_000;
const MAX_RETAINED_MESSAGES = 5_000;

export type BroadcastMessage = readonly [channel: string, message: unknown, keepAs?: string];

/** Answers what a worker asks on its link. @returns called when the worker has ended */
export type WorkerService = (link: IpcChannel) => () => void;

interface Member {
  readonly link: IpcChannel;
  /** As they were last read; what they say of lasting things survives the worker. */
  metrics: readonly MetricFamily[];
  /** Whether it serves, so that others wait for what it says. */
  isServing: boolean;
}

/** What the primary does for its workers: it carries their news, adds up their metrics and runs the services that it is given. */
export class PrimaryHub {
  private readonly members = new Set<Member>();
  private readonly retained = new Map<string, { readonly item: BroadcastMessage; readonly at: number }>();
  /** What processes that have ended had counted. */
  private exitedMetrics: MetricFamily[] = [];

  /**
   * @param ownMetrics what the primary itself has to say
   * @param services what the primary keeps for its workers beside news and metrics
   */
  constructor(
    private readonly ownMetrics: () => readonly MetricFamily[],
    private readonly services: readonly WorkerService[],
  ) {}

  /** @returns call `serves` when the worker does, and `leaves` when the channel is closed */
  add(link: IpcChannel): { readonly serves: () => void; readonly leaves: () => void } {
    const member: Member = { link, metrics: [], isServing: false };
    this.members.add(member);
    const releases = this.services.map((service) => service(link));
    link.handle('publish', (item) => this.publish(member, item as BroadcastMessage));
    link.handle('subscribe', (channel) => this.repeat(member, channel as string));
    link.handle('all metrics', () => this.metrics());
    link.handle('last metrics', (families) => {
      member.metrics = families as MetricFamily[];
      this.remove(member);
      return true;
    });
    return {
      serves: () => {
        member.isServing = true;
      },
      leaves: () => {
        this.remove(member);
        this.members.delete(member);
        for (const release of releases) release();
      },
    };
  }

  private async publish(from: Member, item: BroadcastMessage): Promise<true> {
    const [channel, , keepAs] = item;
    if (keepAs !== undefined) {
      const id = `${channel} ${keepAs}`;
      this.retained.delete(id);
      this.retained.set(id, { item, at: performance.now() });
      const oldest = this.retained.keys().next();
      if (this.retained.size > MAX_RETAINED_MESSAGES && oldest.done !== true) this.retained.delete(oldest.value);
    }
    const heard = [...this.members].map(async (each) => {
      if (each === from) return;
      // One that is still starting hears of it when it comes to it.
      if (each.isServing) await inTime(each.link.ask('news', item));
      else each.link.notify('news', item);
    });
    await Promise.all(heard);
    return true;
  }

  private repeat({ link }: Member, channel: string): void {
    for (const { item, at } of this.retained.values()) {
      if (item[0] === channel && performance.now() - at < MESSAGE_RETENTION_MS) link.notify('news', item);
    }
  }

  private async metrics(): Promise<MetricFamily[]> {
    await Promise.all([...this.members].map((member) => this.read(member)));
    return mergeMetrics([...[...this.members].map(({ metrics }) => metrics), this.exitedMetrics, this.ownMetrics()]);
  }

  /** What is remembered is never less than what a scrape has seen, so that no sum falls when the worker ends. */
  private async read(member: Member): Promise<void> {
    if (!member.isServing) return;
    const families = await inTime(member.link.ask('metrics'));
    if (families !== undefined && this.isServing(member)) member.metrics = families as MetricFamily[];
  }

  private isServing(member: Member): boolean {
    return member.isServing && this.members.has(member);
  }

  private remove(member: Member): void {
    member.isServing = false;
    this.exitedMetrics = mergeMetrics([this.exitedMetrics, lastingMetrics(member.metrics)]);
    member.metrics = [];
  }
}

function inTime(answer: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), WORKER_TIMEOUT_MS);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
