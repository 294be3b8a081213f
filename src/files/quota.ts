import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { GatewayConfig } from '../config/gateway-config.js';
import { Database } from '../database/database.js';
import { runSql } from '../database/sql.js';
import { GatewayError } from '../errors/gateway-error.js';

/** The bytes of all files of a key, and of those that it uploads in parts. Results of batches do not count. */
@Injectable()
export class FileQuota {
  constructor(
    private readonly database: Database,
    private readonly config: GatewayConfig,
  ) {}

  /**
   * Uploads of one key take turns until their transactions end, so that together they do not pass its quota.
   *
   * @param except an upload in parts whose bytes are those of the new file
   * @throws GatewayError 413 where `bytes` more would pass the quota
   */
  async assertRoom(
    manager: EntityManager,
    { keyId, bytes, param, except = '' }: { keyId: string; bytes: number; param: string; except?: string },
  ): Promise<void> {
    const { dialect } = this.database;
    if (!dialect.isSqlite) {
      await runSql(manager, dialect, 'SELECT pg_advisory_xact_lock(hashtext($1))', [`files:${keyId}`]);
    }
    const { rows } = await runSql<{ files: number | string | null; uploads: number | string | null }>(
      manager,
      dialect,
      `SELECT (SELECT SUM(bytes) FROM stored_file WHERE key_id = $1 AND batch_id IS NULL) AS files,
         (SELECT SUM(bytes) FROM file_upload
          WHERE key_id = $1 AND status = 'pending' AND expires_at > ${dialect.now} AND id <> $2) AS uploads`,
      [keyId, except],
    );
    const kept = Number(rows[0]?.files ?? 0) + Number(rows[0]?.uploads ?? 0);
    const { quota } = this.config.files;
    if (kept + bytes <= quota) return;
    throw new GatewayError({
      status: 413,
      type: 'invalid_request_error',
      code: 'request_too_large',
      message: `The files of this key have ${kept} bytes, and with this one they would have more than its quota (${quota} bytes). Delete files, or ask the operator to raise files.quota.`,
      param,
    });
  }
}
