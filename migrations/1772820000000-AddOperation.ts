import { MigrationInterface, QueryRunner } from 'typeorm';

/** Columns of usage_record for what is billed beside tokens; null where it is not. */
const UNITS = [
  ['images', 'integer'],
  ['audio_seconds', 'double precision'],
  ['characters', 'integer'],
  ['search_units', 'integer'],
] as const;
const OPERATION = `operation varchar(16) NOT NULL DEFAULT 'chat'`;

/**
 * Usage records, entries of the request log and batch tasks say which operation they are of. All that there was before are chat
 * completions. The column of batch_task has existed under another name, which nothing has read. Plain statements, since TypeORM
 * copies a whole table of SQLite to add a column.
 */
export class AddOperation1772820000000 implements MigrationInterface {
  readonly name = 'AddOperation1772820000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE usage_record ADD COLUMN ${OPERATION}`);
    for (const [name, type] of UNITS) await queryRunner.query(`ALTER TABLE usage_record ADD COLUMN ${name} ${type}`);
    await queryRunner.query(`ALTER TABLE request_log ADD COLUMN ${OPERATION}`);
    await queryRunner.query('ALTER TABLE batch_task RENAME COLUMN kind TO operation');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE batch_task RENAME COLUMN operation TO kind');
    await queryRunner.query('ALTER TABLE request_log DROP COLUMN operation');
    for (const [name] of UNITS) await queryRunner.query(`ALTER TABLE usage_record DROP COLUMN ${name}`);
    await queryRunner.query('ALTER TABLE usage_record DROP COLUMN operation');
  }
}
