import { setTimeout as delay } from 'node:timers/promises';
import { BeforeApplicationShutdown, Injectable, Logger, OnModuleInit } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { Database } from '../database/database.js';
import { GatewaySetting } from '../database/gateway-setting.entity.js';
import { runSql } from '../database/sql.js';
import { describeError } from '../errors/describe-error.js';
import { ApiKey } from './api-key.entity.js';
import { PEPPER_SETTING, Pepper, PLAIN_SHA256 } from './pepper.js';

/** Row of `gateway_setting` that exists once keys were imported, which are found by their hash and not by their id. */
export const IMPORTED_KEYS_SETTING = 'imported_keys';
/** Milliseconds for which the information that no keys were imported is cached. */
const NO_IMPORT_TTL_MS = 5_000;
/** Longest wait for that information, since most secrets of another form are not keys. */
const MAX_ASKING_MS = 250;
/** Rows with the same hash that are compared; there is one, unless a key was imported twice. */
const MAX_EQUAL_HASHES = 10;

/** The row of a key whose hash matches a secret. */
export interface FoundKey {
  readonly key: ApiKey;
  /** When this secret of it ends by a rotation; epoch milliseconds. */
  readonly endsAt: number;
}

/** Finds the row of a secret, and hashes the secret again where its hash was made with an older pepper or without one. */
@Injectable()
export class KeyFinder implements OnModuleInit, BeforeApplicationShutdown {
  private readonly logger = new Logger('Keys');
  private readonly renewals = new Set<Promise<void>>();
  private hasImported = false;
  private checkedAt = -Infinity;
  private asking: Promise<void> | undefined;

  constructor(
    @InjectRepository(ApiKey) private readonly keys: Repository<ApiKey>,
    @InjectRepository(GatewaySetting) private readonly settings: Repository<GatewaySetting>,
    private readonly database: Database,
    private readonly pepper: Pepper,
  ) {}

  /**
   * @param id that the secret names; undefined where it has another form
   * @returns `unreadable` when the key's hash is of a newer pepper, which this process does not hold
   */
  async find(id: string | undefined, secret: string): Promise<FoundKey | 'unreadable' | undefined> {
    const key = id === undefined ? null : await this.keys.findOneBy({ id });
    // Computes a hash for an unknown key as well, so that the timing is the same.
    const found = this.match(key, secret);
    if (found !== undefined) return found;
    if (key !== null && !(await this.isReadable(key))) return 'unreadable';
    if (!(await this.isAnyImported())) return undefined;
    const hashes = this.pepper.hashesOf(secret);
    const rows = await this.keys.find({
      where: [{ hash: In(hashes) }, { previousHash: In(hashes) }],
      order: { createdAt: 'ASC', id: 'ASC' },
      take: MAX_EQUAL_HASHES,
    });
    for (const row of rows) {
      const match = this.match(row, secret);
      if (match !== undefined) return match;
    }
    return undefined;
  }

  /**
   * Whether a secret that does not have the form of a key may be one nevertheless. While the database does not respond, the last
   * known information is used.
   */
  async isAnyImported(): Promise<boolean> {
    if (this.hasImported || performance.now() - this.checkedAt < NO_IMPORT_TTL_MS) return this.hasImported;
    this.asking ??= this.askForImported().finally(() => {
      this.asking = undefined;
    });
    const timeoutCancel = new AbortController();
    const timeout = delay(MAX_ASKING_MS, undefined, { ref: false, signal: timeoutCancel.signal }).catch(
      () => undefined,
    );
    await Promise.race([this.asking, timeout]);
    timeoutCancel.abort();
    return this.hasImported;
  }

  /** Keys were imported, here or elsewhere. */
  importedChanged(): void {
    this.checkedAt = -Infinity;
  }

  async onModuleInit(): Promise<void> {
    await this.askForImported();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.renewals);
  }

  private async askForImported(): Promise<void> {
    try {
      this.hasImported = await this.settings.existsBy({ name: IMPORTED_KEYS_SETTING });
    } catch (error) {
      this.logger.debug({ msg: 'whether keys were imported is not known', error: describeError(error) });
    }
    this.checkedAt = performance.now();
  }

  private match(key: ApiKey | null, secret: string): FoundKey | undefined {
    const isCurrent = this.pepper.matches(secret, key?.hash, key?.hashScheme);
    const isPrevious = this.pepper.matches(secret, key?.previousHash, key?.previousHashScheme);
    if (key === null || !(isCurrent || isPrevious)) return undefined;
    this.renew(key, isCurrent, secret);
    return { key, endsAt: isCurrent ? Number.MAX_SAFE_INTEGER : (key.previousExpiresAt ?? 0) };
  }

  /** A hash of a pepper that is no longer held is lost; a hash of a pepper that other processes have changed to is not. */
  private async isReadable({ hashScheme, previousHashScheme }: ApiKey): Promise<boolean> {
    const isHeld = [hashScheme, previousHashScheme].every(
      (scheme) => scheme == null || scheme === PLAIN_SHA256 || this.pepper.holds(scheme),
    );
    if (isHeld) return true;
    const setting = await this.settings.findOneBy({ name: PEPPER_SETTING });
    return setting === null || this.pepper.holds(setting.value);
  }

  /** Runs beside the request; a failure is tried again at the next use. */
  private renew(key: ApiKey, isCurrent: boolean, secret: string): void {
    const [hash, scheme] = isCurrent ? [key.hash, key.hashScheme] : [key.previousHash, key.previousHashScheme];
    if (scheme === this.pepper.scheme || (scheme == null && this.pepper.previousFingerprint === undefined)) return;
    const renewed = this.pepper.hash(secret);
    const column = isCurrent ? 'hash' : 'previous_hash';
    const renewal = this.database
      .transaction((manager) =>
        runSql(
          manager,
          this.database.dialect,
          `UPDATE api_key SET ${column} = $1, ${column}_scheme = $2 WHERE id = $3 AND ${column} = $4`,
          [renewed.hash, renewed.scheme, key.id, hash],
        ),
      )
      .then(
        () => undefined,
        (error: unknown) => {
          this.logger.debug({ msg: 'a key could not be hashed again', key_id: key.id, error: describeError(error) });
        },
      )
      .finally(() => this.renewals.delete(renewal));
    this.renewals.add(renewal);
  }
}
