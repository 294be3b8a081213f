import { hash } from 'node:crypto';
import { Injectable, Logger, OnApplicationShutdown } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { GatewayConfig } from '../config/gateway-config.js';
import { describeError } from '../errors/describe-error.js';
import { databaseUnavailable } from '../errors/database-error.js';
import { upstreamUnavailable, type GatewayError } from '../errors/gateway-error.js';
import { parseKey } from './api-key-format.js';
import { Broadcast } from '../cluster/broadcast.js';
import { ApiKey } from './api-key.entity.js';
import { KeyGroup } from './key-group.entity.js';
import { KeyCache, type CachedKey } from './key-cache.js';
import { KeyFinder } from './key-finder.js';
import { endOfLineage, principalOfLineage, readLineage, type KeyLineage } from './key-lineage.js';
import { SCOPES, type Principal } from './principal.js';
import { ConsoleUsers } from './users/console-users.service.js';
import { isUserId } from './users/user-principal.js';

/** Longest that a lookup waits for the database before a cached key is served. */
const SLOW_LOOKUP_MS = 250;
/** Longest that a request with a key that is not cached waits for the database. */
const LOOKUP_TIMEOUT_MS = 4_000;
/** Interval of probes of whether a slow database responds again. */
const PROBE_INTERVAL_MS = 500;

/** The channel for changed keys: a key's id, or null for all. */
const CHANGES = 'gateway:keys';

/** Id of GATEWAY_ADMIN_KEY, which has no row. */
export const ADMIN_KEY_ID = 'admin';
const ADMIN: Principal = {
  keyId: ADMIN_KEY_ID,
  name: 'GATEWAY_ADMIN_KEY',
  scopes: new Set(SCOPES),
  allowedModels: null,
  groupId: null,
  accounts: [],
  isOperator: true,
};

/**
 * Resolves credentials to principals, with at most one query per key in 5 s. A key in use is refreshed in the background before
 * that; while the database is slow or unreachable, cached keys are served.
 */
@Injectable()
export class ApiKeyAuthenticator implements OnApplicationShutdown {
  private readonly logger = new Logger('Keys');
  private readonly cache = new KeyCache();
  private readonly byId = new KeyCache();
  private readonly inFlight = new Map<string, Promise<Principal | null>>();
  private readonly adminDigest: string | undefined;
  /** Changes when a key of this process changes, so that a lookup that began before is not cached. */
  private generation = 0;
  /** Set while the database does not respond in time. */
  private probe: NodeJS.Timeout | undefined;

  constructor(
    @InjectRepository(ApiKey) private readonly keys: Repository<ApiKey>,
    @InjectRepository(KeyGroup) private readonly groups: Repository<KeyGroup>,
    private readonly finder: KeyFinder,
    private readonly broadcast: Broadcast,
    private readonly users: ConsoleUsers,
    config: GatewayConfig,
  ) {
    broadcast.subscribe(CHANGES, (message) => {
      if (message === null) this.forgetAll();
      else if (typeof message === 'string') this.forget(message);
    });

    this.adminDigest = config.auth.adminKey === undefined ? undefined : digestOf(config.auth.adminKey);
  }

  /** The fast path of a request: no promise, no query. Undefined when the database must be queried. */
  cached(credential: string): Principal | null | undefined {
    const digest = digestOf(credential);
    // The timing of this comparison of digests reveals nothing of the key, since digests cannot be chosen.
    if (digest === this.adminDigest) return ADMIN;
    const cached = this.cache.get(digest);
    if (cached === undefined) return undefined;
    if (cached.state === 'ended') return null;
    if (cached.state === 'fresh') return cached.principal;
    const isUsable = cached.state === 'aging' || this.probe !== undefined;
    if (!isUsable || cached.principal === null) return undefined;
    this.refresh(credential, digest);
    return cached.principal;
  }

  /**
   * @returns null when the credential is not a valid key
   * @throws GatewayError 503 when the database does not respond within 4 s and the key was not in use a minute ago
   */
  async check(credential: string): Promise<Principal | null> {
    const cached = this.cached(credential);
    if (cached !== undefined) return cached;
    const id = parseKey(credential)?.id;
    if (id === undefined && !(await this.finder.isAnyImported())) return null;
    const digest = digestOf(credential);
    const lookup = this.startLookup(id, credential, digest);
    const stale = this.cache.get(digest);
    if (stale?.principal == null || stale.state === 'ended') return this.withinTimeout(lookup, LOOKUP_TIMEOUT_MS);
    try {
      return await this.withinTimeout(lookup, SLOW_LOOKUP_MS);
    } catch (error) {
      const known = this.cache.get(digest);
      if (known?.principal != null && known.state !== 'ended') return known.principal;
      throw error;
    }
  }

  /**
   * The principal of the id of a key or a person, for work that outlives its request; null when the key is revoked, expired or deleted.
   *
   * @throws the database's error when it cannot be queried
   */
  async principalOf(keyId: string): Promise<Principal | null> {
    if (keyId === ADMIN.keyId) return ADMIN;
    if (isUserId(keyId)) return this.users.principalOf(keyId);
    const cached = this.byId.get(keyId);
    if (cached?.state === 'fresh' || cached?.state === 'aging') return cached.principal;
    return this.withinTimeout(this.readPrincipal(keyId), LOOKUP_TIMEOUT_MS);
  }

  /** Drops a key and the keys that it created from the cache, so that a change in this process takes effect at once. */
  forget(keyId: string): void {
    this.generation += 1;
    this.inFlight.clear();
    this.byId.deleteOf(keyId);
    this.cache.deleteOf(keyId);
  }

  /** Drops a key from the cache here and in the other processes of this machine, and elsewhere by a message over Redis. */
  async changed(keyId: string): Promise<void> {
    this.forget(keyId);
    await this.broadcast.publish(CHANGES, keyId);
  }

  /** The same for all keys, where it is not worth finding out which are affected, such as a change of a group. */
  async allChanged(): Promise<void> {
    this.forgetAll();
    await this.broadcast.publish(CHANGES, null);
  }

  onApplicationShutdown(): void {
    clearTimeout(this.probe);
  }

  private forgetAll(): void {
    this.generation += 1;
    this.finder.importedChanged();
    this.inFlight.clear();
    this.byId.clear();
    this.cache.clear();
  }

  /** Queries the database in the background; a failure here is noticed by the next lookup. */
  private refresh(credential: string, digest: string): void {
    if (this.inFlight.has(digest)) return;
    this.withinTimeout(this.startLookup(parseKey(credential)?.id, credential, digest), SLOW_LOOKUP_MS).catch(
      () => undefined,
    );
  }

  private startLookup(id: string | undefined, credential: string, digest: string): Promise<Principal | null> {
    const pending = this.inFlight.get(digest);
    if (pending !== undefined) return pending;
    const lookup = this.lookUp(id, credential, digest).finally(() => {
      if (this.inFlight.get(digest) === lookup) this.inFlight.delete(digest);
    });
    this.inFlight.set(digest, lookup);
    return lookup;
  }

  private async lookUp(id: string | undefined, credential: string, digest: string): Promise<Principal | null> {
    const { generation } = this;
    const checkedAt = performance.now();
    const { match, lineage } = await this.asked(async () => {
      const found = await this.finder.find(id, credential);
      const isFound = found !== undefined && found !== 'unreadable';
      return { match: found, lineage: isFound ? await this.lineageOf(found.key) : undefined };
    });
    if (match === 'unreadable') throw pepperOutdated();
    const endsAt = match === undefined || lineage === undefined ? 0 : Math.min(match.endsAt, endOfLineage(lineage));
    const isValid = lineage !== undefined && Date.now() < endsAt;
    const entry: CachedKey = {
      principal: isValid ? principalOfLineage(lineage) : null,
      keyIds: lineage === undefined ? (id === undefined ? [] : [id]) : idsOf(lineage),
      checkedAt,
      endsAt: isValid ? endsAt : Number.MAX_SAFE_INTEGER,
    };
    if (generation === this.generation) this.cache.set(digest, entry);
    return entry.principal;
  }

  private async readPrincipal(keyId: string): Promise<Principal | null> {
    const { generation } = this;
    const checkedAt = performance.now();
    const lineage = await this.asked(async () => {
      const key = await this.keys.findOneBy({ id: keyId });
      return key === null ? undefined : this.lineageOf(key);
    });
    const endsAt = lineage === undefined ? 0 : endOfLineage(lineage);
    const isValid = lineage !== undefined && Date.now() < endsAt;
    const principal = isValid ? principalOfLineage(lineage) : null;
    // What was read before a key changed here must not be cached.
    if (generation === this.generation) {
      const keyIds = lineage === undefined ? [keyId] : idsOf(lineage);
      this.byId.set(keyId, { principal, keyIds, checkedAt, endsAt: isValid ? endsAt : Number.MAX_SAFE_INTEGER });
    }
    return principal;
  }

  private lineageOf(key: ApiKey): Promise<KeyLineage> {
    return readLineage(key, {
      findKey: (id) => this.keys.findOneBy({ id }),
      findGroup: (id) => this.groups.findOneBy({ id }),
    });
  }

  /** Runs queries; their timing decides whether cached keys are served without waiting for the database. */
  private async asked<Result>(queries: () => Promise<Result>): Promise<Result> {
    try {
      const result = await queries();
      clearTimeout(this.probe);
      this.probe = undefined;
      return result;
    } catch (error) {
      this.databaseIsSlow(error);
      throw databaseUnavailable(error, UNAVAILABLE);
    }
  }

  /** @throws GatewayError 503 when the lookup takes longer; it continues, and its result is cached */
  private async withinTimeout<Result>(lookup: Promise<Result>, milliseconds: number): Promise<Result> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const error = new Error(`the database has not responded within ${milliseconds} ms`);
        this.databaseIsSlow(error);
        reject(databaseUnavailable(error, UNAVAILABLE));
      }, milliseconds).unref();
    });
    try {
      return await Promise.race([lookup, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Probes until the database responds again, so that no revoked key is served for longer than the database is unreachable. */
  private databaseIsSlow(error: unknown): void {
    if (this.probe !== undefined) return;
    this.logger.error({ msg: 'key lookup failed; cached keys are served for a minute', error: describeError(error) });
    const ask = (): void => {
      this.probe = setTimeout(() => {
        this.keys.findOneBy({ id: 'probe' }).then(
          () => (this.probe = undefined),
          () => ask(),
        );
      }, PROBE_INTERVAL_MS).unref();
    };
    ask();
  }
}

const UNAVAILABLE = 'The key cannot be checked because the database is not reachable. Retry shortly.';

/** The key may be valid; another instance can check it. */
function pepperOutdated(): GatewayError {
  return upstreamUnavailable({
    message: 'This instance of the gateway has an older key pepper than the others and cannot check this key. Retry.',
    retryAfterMs: 1_000,
    rejectedByGateway: true,
  });
}

function idsOf({ key, ancestors }: KeyLineage): string[] {
  return [key, ...ancestors].map(({ id }) => id);
}

/** Keys are not stored in plain text, not even in memory. */
function digestOf(credential: string): string {
  return hash('sha256', credential, 'base64');
}
