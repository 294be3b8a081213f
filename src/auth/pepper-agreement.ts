import { hostname } from 'node:os';
import type { EntityManager } from 'typeorm';
import type { Database } from '../database/database.js';
import { GatewaySetting } from '../database/gateway-setting.entity.js';
import { runSql } from '../database/sql.js';
import { randomId } from '../runtime/random-id.js';
import { PEPPER_SETTING, type Pepper } from './pepper.js';

/** How long a process counts after it was last seen. */
const HOLDER_TTL_MS = 30_000;
const HOST = hostname().slice(0, 255);

/** Which pepper the processes of a database use. */
export type PepperState =
  /** The current pepper of this process. */
  | 'current'
  /** The previous pepper of this process, because another process does not hold the current one yet. */
  | 'previous'
  /** A pepper that this process does not hold. */
  | 'unknown';

/**
 * Makes the processes of one database agree on the pepper that new hashes are made with. Each process registers its current
 * pepper; the database changes to a new one in one transaction, and only when no running process has another one. The lock
 * on the setting makes a process that starts meanwhile see the change, or be seen.
 */
export class PepperAgreement {
  private readonly id = randomId('pep_');

  constructor(
    private readonly database: Database,
    private readonly pepper: Pepper,
  ) {}

  /** Registers this process, or renews its registration, and changes to its current pepper if all others have it. */
  async agree(manager: EntityManager, mayChange: boolean): Promise<PepperState> {
    const { dialect, isSqlite } = this.database;
    const { pepper } = this;
    await manager
      .createQueryBuilder()
      .insert()
      .into(GatewaySetting)
      .values({ name: PEPPER_SETTING, value: pepper.fingerprint })
      .orIgnore()
      .execute();
    const { value: known } = await manager.findOneOrFail(GatewaySetting, {
      where: { name: PEPPER_SETTING },
      ...(!isSqlite && { lock: { mode: 'pessimistic_write' as const } }),
    });
    await runSql(
      manager,
      dialect,
      `INSERT INTO key_pepper_holder (id, host, pid, fingerprint, seen_at) VALUES ($1, $2, $3, $4, ${dialect.now})
       ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at`,
      [this.id, HOST, process.pid, pepper.fingerprint],
    );
    if (!pepper.holds(known)) return 'unknown';
    if (known === pepper.fingerprint) return 'current';
    if (!mayChange || (await this.isAnyWithout(manager))) return 'previous';
    await this.change(manager, known);
    return 'current';
  }

  async leave(manager: EntityManager): Promise<void> {
    await runSql(manager, this.database.dialect, 'DELETE FROM key_pepper_holder WHERE id = $1', [this.id]);
  }

  private async isAnyWithout(manager: EntityManager): Promise<boolean> {
    const { dialect } = this.database;
    await runSql(manager, dialect, `DELETE FROM key_pepper_holder WHERE seen_at < ${dialect.now} - ${HOLDER_TTL_MS}`);
    const { rows } = await runSql<{ host: string; pid: number }>(
      manager,
      dialect,
      'SELECT host, pid FROM key_pepper_holder WHERE fingerprint <> $1',
      [this.pepper.fingerprint],
    );
    return rows.some(({ host, pid }) => host !== HOST || isRunning(pid));
  }

  private async change(manager: EntityManager, from: string): Promise<void> {
    const { dialect } = this.database;
    const to = this.pepper.fingerprint;
    await manager.update(GatewaySetting, { name: PEPPER_SETTING }, { value: to });
    // Rows of a version that knew one pepper only.
    for (const [hash, scheme] of [
      ['hash', 'hash_scheme'],
      ['previous_hash', 'previous_hash_scheme'],
    ] as const) {
      await runSql(
        manager,
        dialect,
        `UPDATE api_key SET ${scheme} = $1 WHERE ${scheme} IS NULL AND ${hash} IS NOT NULL`,
        [from],
      );
    }
  }
}

/** A process that was killed leaves its registration; on this machine that can be seen at once. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
