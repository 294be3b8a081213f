import type { BroadcastMessage } from './primary-hub.js';
import type { IpcChannel } from './ipc-channel.js';
import type { MetricFamily } from './merge-metrics.js';
import { type PrimaryChannel, ClusterPeers } from './cluster-peers.js';

/** Longest wait of an exiting process for the primary, in milliseconds. */
const HANDOVER_TIMEOUT_MS = 1_000;

/** The other workers, reached through the primary. */
export class IpcClusterPeers extends ClusterPeers {
  readonly primary: PrimaryChannel;
  private readonly listeners = new Map<string, (message: unknown) => void>();
  private readMetrics: () => Promise<readonly MetricFamily[]> = () => Promise.resolve([]);

  constructor(private readonly link: IpcChannel) {
    super();
    this.primary = link;
    link.handle('broadcast', (item) => {
      const [channel, message] = item as BroadcastMessage;
      this.listeners.get(channel)?.(message);
      return true;
    });
    link.handle('metrics', () => this.readMetrics());
  }

  async publish(channel: string, message: unknown, keepAs?: string): Promise<void> {
    const item: BroadcastMessage = keepAs === undefined ? [channel, message] : [channel, message, keepAs];
    await this.link.ask('publish', item);
  }

  subscribe(channel: string, listener: (message: unknown) => void): void {
    this.listeners.set(channel, listener);
    this.link.notify('subscribe', channel);
  }

  provideMetrics(read: () => Promise<readonly MetricFamily[]>): void {
    this.readMetrics = read;
  }

  async metrics(): Promise<readonly MetricFamily[] | undefined> {
    return (await this.link.ask('all metrics')) as MetricFamily[] | undefined;
  }

  async handOverMetrics(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, HANDOVER_TIMEOUT_MS);
    });
    const handedOver = this.readMetrics().then((families) => this.link.ask('last metrics', families));
    await Promise.race([handedOver, late]).finally(() => clearTimeout(timer));
  }
}
