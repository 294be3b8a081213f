import type { IpcChannel } from './ipc-channel.js';
import { lastingMetrics, mergeMetrics, type MetricFamily } from './merge-metrics.js';

/** Longest wait for a worker, in milliseconds: one that hangs must not hold up the others. */
const WORKER_TIMEOUT_MS = 2_000;
/** Messages that are retained for processes that start later: how long, in milliseconds, and how many. */
const MESSAGE_RETENTION_MS = 600_000;
const MAX_RETAINED_MESSAGES = 5_000;

export type BroadcastMessage = readonly [channel: string, message: unknown, keepAs?: string];

/** Handles the requests of a worker on its channel. @returns called when the worker has exited */
export type WorkerService = (link: IpcChannel) => () => void;

interface Member {
  readonly link: IpcChannel;
  /** The metrics that were read last; lasting ones are kept after the worker exits. */
  metrics: readonly MetricFamily[];
  /** Whether it serves, so that publishers wait until it has received their message. */
  isServing: boolean;
}

/** The primary's side for its workers: it distributes their messages, merges their metrics and runs the given services. */
export class PrimaryHub {
  private readonly members = new Set<Member>();
  private readonly retained = new Map<string, { readonly item: BroadcastMessage; readonly at: number }>();
  /** Lasting metrics of processes that have exited. */
  private exitedMetrics: MetricFamily[] = [];

  /**
   * @param ownMetrics the primary's own metrics
   * @param services further services for the workers
   */
  constructor(
    private readonly ownMetrics: () => readonly MetricFamily[],
    private readonly services: readonly WorkerService[],
  ) {}

  /** @returns `serves`: call it when the worker serves; `leaves`: call it when the channel is closed */
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
    const delivered = [...this.members].map(async (each) => {
      if (each === from) return;
      // A worker that is still starting handles it later; nothing waits for it.
      if (each.isServing) await inTime(each.link.ask('broadcast', item));
      else each.link.notify('broadcast', item);
    });
    await Promise.all(delivered);
    return true;
  }

  private repeat({ link }: Member, channel: string): void {
    for (const { item, at } of this.retained.values()) {
      if (item[0] === channel && performance.now() - at < MESSAGE_RETENTION_MS) link.notify('broadcast', item);
    }
  }

  private async metrics(): Promise<MetricFamily[]> {
    await Promise.all([...this.members].map((member) => this.read(member)));
    return mergeMetrics([...[...this.members].map(({ metrics }) => metrics), this.exitedMetrics, this.ownMetrics()]);
  }

  /** Keeps the values of the last scrape, so that no sum decreases when the worker exits. */
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

function inTime(response: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), WORKER_TIMEOUT_MS);
  });
  return Promise.race([response, late]).finally(() => clearTimeout(timer));
}
