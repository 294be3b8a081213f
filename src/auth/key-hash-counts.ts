import type { EntityManager } from 'typeorm';
import { runSql, type SqlDialect } from '../database/sql.js';
import { PEPPER_SETTING, PLAIN_SHA256, type Pepper } from './pepper.js';

/** How many keys that are not revoked rest on which hash; a key in the overlap of a rotation counts where its older secret is. */
export interface KeyHashCounts {
  readonly current: number;
  /** Hashed with GATEWAY_KEY_PEPPER_PREVIOUS; the next use hashes them again. */
  readonly previous: number;
  /** Imported without a pepper; a use hashes them with the pepper. */
  readonly plain: number;
  /** Hashed with a pepper that this process is not given: they do not work. */
  readonly lost: number;
}

/** Counts the active keys by the pepper of their hash. */
export async function countKeyHashes(
  manager: EntityManager,
  dialect: SqlDialect,
  pepper: Pepper,
): Promise<KeyHashCounts> {
  const { rows } = await runSql<{ scheme: string | null; overlap: string | null; count: string | number }>(
    manager,
    dialect,
    `SELECT COALESCE(hash_scheme, known.value) AS scheme,
       CASE WHEN previous_hash IS NOT NULL AND previous_expires_at > ${dialect.now}
         THEN COALESCE(previous_hash_scheme, known.value) END AS overlap,
       COUNT(*) AS count
     FROM api_key LEFT JOIN gateway_setting known ON known.name = '${PEPPER_SETTING}'
     WHERE revoked_at IS NULL GROUP BY 1, 2`,
  );
  const counts = { current: 0, previous: 0, plain: 0, lost: 0 };
  for (const { scheme, overlap, count } of rows) {
    const kinds = [scheme, ...(overlap === null ? [] : [overlap])].map((each) => kindOf(each, pepper));
    const kind = (['lost', 'previous', 'plain'] as const).find((each) => kinds.includes(each)) ?? 'current';
    counts[kind] += Number(count);
  }
  return counts;
}

function kindOf(scheme: string | null, pepper: Pepper): keyof KeyHashCounts {
  if (scheme === null || scheme === pepper.fingerprint) return 'current';
  if (scheme === PLAIN_SHA256) return 'plain';
  return scheme === pepper.previousFingerprint ? 'previous' : 'lost';
}

/** Warnings for operators; none if all keys are hashed with the current pepper. */
export function hashRemarks({ previous, plain, lost }: KeyHashCounts): string[] {
  const keys = (count: number): string => (count === 1 ? '1 key is' : `${count} keys are`);
  return [
    ...(previous > 0
      ? [`${keys(previous)} still hashed with GATEWAY_KEY_PEPPER_PREVIOUS: keep it until they were used or revoked`]
      : []),
    ...(plain > 0 ? [`${keys(plain)} imported with a plain SHA-256, and hashed with the pepper at the first use`] : []),
    ...(lost > 0
      ? [`${keys(lost)} hashed with a pepper that is not set: set it as GATEWAY_KEY_PEPPER_PREVIOUS, or revoke them`]
      : []),
  ];
}
