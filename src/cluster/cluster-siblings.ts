import type { NewsItem } from './exchange.js';
import type { Link } from './link.js';
import type { MetricFamily } from './merge-metrics.js';
import { type PrimaryChannel, Siblings } from './siblings.js';

/** Longest that an ending process waits for the primary, in milliseconds. */
const PATIENCE = 1_000;

/** The other workers, reached through the primary. */
export class ClusterSiblings extends Siblings {
  readonly primary: PrimaryChannel;
  private readonly listeners = new Map<string, (message: unknown) => void>();
  private readMetrics: () => Promise<readonly MetricFamily[]> = () => Promise.resolve([]);

  constructor(private readonly link: Link) {
    super();
    this.primary = link;
    link.handle('news', (item) => {
      const [channel, message] = item as NewsItem;
      this.listeners.get(channel)?.(message);
      return true;
    });
    link.handle('metrics', () => this.readMetrics());
  }

  async publish(channel: string, message: unknown, keepAs?: string): Promise<void> {
    const item: NewsItem = keepAs === undefined ? [channel, message] : [channel, message, keepAs];
    await this.link.ask('publish', item);
  }

  subscribe(channel: string, listener: (message: unknown) => void): void {
    this.listeners.set(channel, listener);
    this.link.tell('subscribe', channel);
  }

  provideMetrics(read: () => Promise<readonly MetricFamily[]>): void {
    this.readMetrics = read;
  }

  async metrics(): Promise<readonly MetricFamily[] | undefined> {
    return (await this.link.ask('all metrics')) as MetricFamily[] | undefined;
  }

  async bequeath(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE);
    });
    const told = this.readMetrics().then((families) => this.link.ask('last metrics', families));
    await Promise.race([told, late]).finally(() => clearTimeout(timer));
  }
}
