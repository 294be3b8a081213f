import type { Principal } from './principal.js';

/** Age up to which a cached key is served without a refresh. */
const REFRESH_AFTER_MS = 2_500;
/** Age up to which a cached key is served while the database responds: the longest that a revoked key remains valid elsewhere. */
const CACHE_TTL_MS = 5_000;
/** How much longer it is served while the database does not respond. */
const STALE_MS = 60_000;
/** Most keys that are cached; the oldest go first. */
const MAX_CACHED_KEYS = 20_000;

/** A key in the cache, with the time of its lookup. */
export interface CachedKey {
  /** Null: there is no such key. */
  readonly principal: Principal | null;
  /** The key and those that made it: a change of any of them makes this stale. */
  readonly keyIds: readonly string[];
  /** When the lookup began, by the monotonic clock (`performance.now()`), which cannot be set back. */
  readonly checkedAt: number;
  /** When the key ends, by expiry or by the end of a rotation's overlap; epoch milliseconds. */
  readonly endsAt: number;
}

/**
 * `fresh` is served; `aging` is served and refreshed; `stale` is served only while the database does not respond; `ended` is no
 * longer valid.
 */
export type CacheState = 'fresh' | 'aging' | 'stale' | 'ended';

interface Entry extends CachedKey {
  /** `endsAt` by the monotonic clock, as known when the entry is made. */
  readonly endsAtMonotonic: number;
}

/** Keys that were looked up, with their age. Ages are measured by the monotonic clock, expiry by both clocks. */
export class KeyCache {
  private readonly entries = new Map<string, Entry>();

  get(name: string): { principal: Principal | null; state: CacheState } | undefined {
    const entry = this.entries.get(name);
    if (entry === undefined) return undefined;
    const { principal } = entry;
    const now = performance.now();
    const age = now - entry.checkedAt;
    if (Date.now() >= entry.endsAt || now >= entry.endsAtMonotonic) {
      if (age < CACHE_TTL_MS) return { principal, state: 'ended' };
      // Its expiry may have been extended elsewhere.
      this.entries.delete(name);
      return undefined;
    }
    if (age < REFRESH_AFTER_MS) return { principal, state: 'fresh' };
    if (age < CACHE_TTL_MS) return { principal, state: principal === null ? 'fresh' : 'aging' };
    if (age < CACHE_TTL_MS + STALE_MS) return { principal, state: 'stale' };
    this.entries.delete(name);
    return undefined;
  }

  set(name: string, key: CachedKey): void {
    this.entries.delete(name);
    this.entries.set(name, { ...key, endsAtMonotonic: performance.now() + (key.endsAt - Date.now()) });
    if (this.entries.size <= MAX_CACHED_KEYS) return;
    const oldest = this.entries.keys().next();
    if (oldest.done !== true) this.entries.delete(oldest.value);
  }

  /** Drops a key, and the keys that it created. */
  deleteOf(keyId: string): void {
    for (const [name, { keyIds }] of this.entries) if (keyIds.includes(keyId)) this.entries.delete(name);
  }

  clear(): void {
    this.entries.clear();
  }
}
