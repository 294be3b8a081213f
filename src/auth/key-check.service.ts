import { hash, timingSafeEqual } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { GatewayConfig } from '../config/gateway-config.js';
import { describeError } from '../errors/describe-error.js';
import { databaseUnavailable } from '../errors/database-error.js';
import { parseKey } from './api-key-format.js';
import { News } from '../processes/news.js';
import { ApiKey } from './api-key.entity.js';
import { KeyGroup } from './groups/key-group.entity.js';
import { Pepper } from './pepper.js';
import { SCOPES, type Principal } from './principal.js';

/** How long an answer is believed, in milliseconds: the longest that a revoked key lives on in another process. */
const FRESH = 5_000;
/** How much longer it is believed while the database cannot be asked. */
const GRACE = 60_000;
/** Most answers that are remembered; the oldest go first. */
const CACHE_SIZE = 20_000;

/** Where processes tell each other that a key has changed: its id, or null for all. */
const CHANGES = 'gateway:keys';

interface Known {
  /** Null: there is no such key. */
  readonly principal: Principal | null;
  readonly keyId: string;
  readonly checkedAt: number;
  /** When the key ends by itself, by expiry or by the end of a rotation's overlap. */
  readonly endsAt: number;
}

const ADMIN: Principal = {
  keyId: 'admin',
  name: 'GATEWAY_ADMIN_KEY',
  scopes: new Set(SCOPES),
  allowedModels: null,
  groupId: null,
  accounts: [],
};

/** Finds out who a credential belongs to, asking the database at most once in 5 s for each. */
@Injectable()
export class KeyCheck {
  private readonly logger = new Logger('Keys');
  private readonly cache = new Map<string, Known>();
  private readonly byId = new Map<string, Known>();
  private readonly underWay = new Map<string, Promise<Principal | null>>();
  /** Compared with in place of a hash that is not there, so that a miss takes as long as a hit. */
  private readonly nobody = Buffer.alloc(32);
  private readonly adminDigest: string | undefined;
  /** Changes when a key of this process changes, so that a lookup that began before cannot bring the old state back. */
  private generation = 0;

  constructor(
    @InjectRepository(ApiKey) private readonly keys: Repository<ApiKey>,
    @InjectRepository(KeyGroup) private readonly groups: Repository<KeyGroup>,
    private readonly pepper: Pepper,
    private readonly news: News,
    config: GatewayConfig,
  ) {
    news.subscribe(CHANGES, (message) => {
      if (message === null) this.forgetAll();
      else if (typeof message === 'string') this.forget(message);
    });

    this.adminDigest = config.auth.adminKey === undefined ? undefined : digestOf(config.auth.adminKey);
  }

  /** The fast path of a request: no promise, no query. Undefined when the database has to be asked. */
  cached(credential: string): Principal | null | undefined {
    const digest = digestOf(credential);
    // How long it takes to compare digests tells nothing of the key: nobody can choose what a key is hashed to.
    if (digest === this.adminDigest) return ADMIN;
    const known = this.cache.get(digest);
    if (known === undefined) return undefined;
    const now = Date.now();
    if (now >= known.endsAt) return null;
    return now - known.checkedAt < FRESH ? known.principal : undefined;
  }

  /**
   * @returns null when the credential is no valid key
   * @throws GatewayError 503 when the database cannot be asked and the key was not in use a minute ago
   */
  async check(credential: string): Promise<Principal | null> {
    const cached = this.cached(credential);
    if (cached !== undefined) return cached;
    const parsed = parseKey(credential);
    if (parsed === undefined) return null;
    const digest = digestOf(credential);
    const pending = this.underWay.get(digest);
    if (pending !== undefined) return pending;
    const lookup = this.lookUp(parsed.id, credential, digest).finally(() => this.underWay.delete(digest));
    this.underWay.set(digest, lookup);
    return lookup;
  }

  /**
   * Who a key's id stands for, for work that outlives its request; null when the key is revoked, expired or gone.
   *
   * @throws the database's error when it cannot be asked
   */
  async principalOf(keyId: string): Promise<Principal | null> {
    if (keyId === ADMIN.keyId) return ADMIN;
    const now = Date.now();
    const known = this.byId.get(keyId);
    if (known !== undefined && now - known.checkedAt < FRESH && now < known.endsAt) return known.principal;
    const { generation } = this;
    const key = await this.keys.findOneBy({ id: keyId });
    const isGood = key !== null && key.revokedAt === null && now < (key.expiresAt ?? Infinity);
    const principal = isGood ? toPrincipal(key, await this.groupOf(key)) : null;
    if (this.byId.size > CACHE_SIZE) this.byId.clear();
    // What was read before a key changed here must not be believed after it.
    if (generation === this.generation) {
      this.byId.set(keyId, { principal, keyId, checkedAt: now, endsAt: key?.expiresAt ?? Number.MAX_SAFE_INTEGER });
    }
    return principal;
  }

  /** Forgets what is known of a key, so that a change made here is felt at once. */
  forget(keyId: string): void {
    this.generation += 1;
    this.underWay.clear();
    this.byId.delete(keyId);
    for (const [digest, known] of this.cache) if (known.keyId === keyId) this.cache.delete(digest);
  }

  /** Forgets a key here and in the other processes of this machine, and elsewhere as soon as Redis has told. */
  async changed(keyId: string): Promise<void> {
    this.forget(keyId);
    await this.news.publish(CHANGES, keyId);
  }

  /** The same where it is not worth finding out which keys are meant, such as a change of a group. */
  async allChanged(): Promise<void> {
    this.forgetAll();
    await this.news.publish(CHANGES, null);
  }

  private forgetAll(): void {
    this.generation += 1;
    this.underWay.clear();
    this.byId.clear();
    this.cache.clear();
  }

  private async groupOf({ groupId }: ApiKey): Promise<KeyGroup | null> {
    return groupId === null ? null : this.groups.findOneBy({ id: groupId });
  }

  private async lookUp(id: string, credential: string, digest: string): Promise<Principal | null> {
    const { generation } = this;
    let key: ApiKey | null;
    let group: KeyGroup | null;
    try {
      key = await this.keys.findOneBy({ id });
      group = key === null ? null : await this.groupOf(key);
    } catch (error) {
      return this.withoutDatabase(digest, error);
    }
    const now = Date.now();
    const match = this.match(key, credential, now);
    const known: Known = {
      principal: match === undefined ? null : toPrincipal(match.key, group),
      keyId: id,
      checkedAt: now,
      endsAt: match?.endsAt ?? Number.MAX_SAFE_INTEGER,
    };
    if (generation === this.generation) this.remember(digest, known);
    return known.principal;
  }

  /** The key, and when this credential of it ends; undefined when it is not valid now. */
  private match(key: ApiKey | null, credential: string, now: number): { key: ApiKey; endsAt: number } | undefined {
    const given = this.pepper.hash(credential);
    const isCurrent = timingSafeEqual(given, key === null ? this.nobody : Buffer.from(key.hash, 'hex'));
    const isPrevious = timingSafeEqual(
      given,
      key?.previousHash == null ? this.nobody : Buffer.from(key.previousHash, 'hex'),
    );
    if (key === null || key.revokedAt !== null) return undefined;
    let endsAt = key.expiresAt ?? Number.MAX_SAFE_INTEGER;
    if (!isCurrent) {
      if (!isPrevious) return undefined;
      endsAt = Math.min(endsAt, key.previousExpiresAt ?? 0);
    }
    return now < endsAt ? { key, endsAt } : undefined;
  }

  private withoutDatabase(digest: string, error: unknown): Principal {
    const known = this.cache.get(digest);
    if (known?.principal != null && Date.now() - known.checkedAt < FRESH + GRACE) return known.principal;
    this.logger.error({ msg: 'key lookup failed', error: describeError(error) });
    throw databaseUnavailable(error, 'The key cannot be checked because the database is not reachable. Retry shortly.');
  }

  private remember(digest: string, known: Known): void {
    this.cache.delete(digest);
    this.cache.set(digest, known);
    if (this.cache.size <= CACHE_SIZE) return;
    const oldest = this.cache.keys().next();
    if (oldest.done !== true) this.cache.delete(oldest.value);
  }
}

function toPrincipal(key: ApiKey, group: KeyGroup | null): Principal {
  const accounts = [key, ...(group === null ? [] : [group])]
    .filter(({ limits, budget }) => limits !== null || budget !== null)
    .map(({ id, limits, budget }) => ({ id, limits, budget }));
  const { id, name, scopes, allowedModels, groupId, requestLog } = key;
  return { keyId: id, name, scopes: new Set(scopes), allowedModels, groupId, accounts, requestLog };
}

/** Keys are not kept as they are, not even in memory. */
function digestOf(credential: string): string {
  return hash('sha256', credential, 'base64');
}
