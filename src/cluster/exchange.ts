import type { Link } from './link.js';
import { lastingMetrics, mergeMetrics, type MetricFamily } from './merge-metrics.js';

/** Longest wait for a worker, in milliseconds: one that hangs must not hold up the others. */
const PATIENCE = 2_000;
/** News that are kept for later processes: how long, in milliseconds, and how many. */
const KEPT_FOR = 600_000;
const KEPT = 5_000;

export type NewsItem = readonly [channel: string, message: unknown, keepAs?: string];

/** Answers what a worker asks on its link. @returns called when the worker has ended */
export type WorkerService = (link: Link) => () => void;

interface Member {
  readonly link: Link;
  /** As they were last read; what they say of lasting things survives the worker. */
  metrics: readonly MetricFamily[];
  /** Whether it serves, so that others wait for what it says. */
  isServing: boolean;
}

/** What the primary does for its workers: it carries their news, adds up their metrics and runs the services that it is given. */
export class Exchange {
  private readonly members = new Set<Member>();
  private readonly kept = new Map<string, { readonly item: NewsItem; readonly at: number }>();
  /** What processes that have ended had counted. */
  private departed: MetricFamily[] = [];

  /**
   * @param ownMetrics what the primary itself has to say
   * @param services what the primary keeps for its workers beside news and metrics
   */
  constructor(
    private readonly ownMetrics: () => readonly MetricFamily[],
    private readonly services: readonly WorkerService[],
  ) {}

  /** @returns call `serves` when the worker does, and `leaves` when the channel is closed */
  add(link: Link): { readonly serves: () => void; readonly leaves: () => void } {
    const member: Member = { link, metrics: [], isServing: false };
    this.members.add(member);
    const releases = this.services.map((service) => service(link));
    link.handle('publish', (item) => this.publish(member, item as NewsItem));
    link.handle('subscribe', (channel) => this.repeat(member, channel as string));
    link.handle('all metrics', () => this.metrics());
    link.handle('last metrics', (families) => {
      member.metrics = families as MetricFamily[];
      this.bury(member);
      return true;
    });
    return {
      serves: () => {
        member.isServing = true;
      },
      leaves: () => {
        this.bury(member);
        this.members.delete(member);
        for (const release of releases) release();
      },
    };
  }

  private async publish(from: Member, item: NewsItem): Promise<true> {
    const [channel, , keepAs] = item;
    if (keepAs !== undefined) {
      const id = `${channel} ${keepAs}`;
      this.kept.delete(id);
      this.kept.set(id, { item, at: performance.now() });
      const oldest = this.kept.keys().next();
      if (this.kept.size > KEPT && oldest.done !== true) this.kept.delete(oldest.value);
    }
    const heard = [...this.members].map(async (each) => {
      if (each === from) return;
      // One that is still starting hears of it when it comes to it.
      if (each.isServing) await inTime(each.link.ask('news', item));
      else each.link.tell('news', item);
    });
    await Promise.all(heard);
    return true;
  }

  private repeat({ link }: Member, channel: string): void {
    for (const { item, at } of this.kept.values()) {
      if (item[0] === channel && performance.now() - at < KEPT_FOR) link.tell('news', item);
    }
  }

  private async metrics(): Promise<MetricFamily[]> {
    await Promise.all([...this.members].map((member) => this.read(member)));
    return mergeMetrics([...[...this.members].map(({ metrics }) => metrics), this.departed, this.ownMetrics()]);
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

  private bury(member: Member): void {
    member.isServing = false;
    this.departed = mergeMetrics([this.departed, lastingMetrics(member.metrics)]);
    member.metrics = [];
  }
}

function inTime(answer: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), PATIENCE);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
