import { UpstreamPool } from './upstream-pool.js';

/** The pools of a provider that is reached at several hosts, one for each origin. */
export class UpstreamPools {
  private readonly pools = new Map<string, UpstreamPool>();

  of(origin: string): UpstreamPool {
    let pool = this.pools.get(origin);
    if (pool === undefined) {
      pool = new UpstreamPool(origin);
      this.pools.set(origin, pool);
    }
    return pool;
  }

  /** Closes every connection, those in use as well. */
  async close(): Promise<void> {
    await Promise.all([...this.pools.values()].map((pool) => pool.close()));
  }
}
