import { MigrationInterface, QueryRunner } from 'typeorm';

const SESSION_COLUMNS = ['session_id', 'agent_id'] as const;
const CACHE_COLUMNS = ['cache_write_tokens', 'cache_write_1h_tokens'] as const;

/**
 * Usage records and entries of the request log name the client's session and agent, and usage records have the tokens that were written
 * into a provider's cache. Plain statements, since TypeORM copies a whole table of SQLite to add a column.
 */
export class AddSessionsAndCacheWrites1772850000000 implements MigrationInterface {
  readonly name = 'AddSessionsAndCacheWrites1772850000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const name of CACHE_COLUMNS) {
      await queryRunner.query(`ALTER TABLE usage_record ADD COLUMN ${name} integer NOT NULL DEFAULT 0`);
    }
    for (const table of ['usage_record', 'request_log']) {
      for (const name of SESSION_COLUMNS) {
        await queryRunner.query(`ALTER TABLE ${table} ADD COLUMN ${name} varchar(128)`);
      }
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of ['request_log', 'usage_record']) {
      for (const name of SESSION_COLUMNS) await queryRunner.query(`ALTER TABLE ${table} DROP COLUMN ${name}`);
    }
    for (const name of CACHE_COLUMNS) await queryRunner.query(`ALTER TABLE usage_record DROP COLUMN ${name}`);
  }
}
