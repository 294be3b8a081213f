import { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Batch tasks say in which wire format they are, and jobs which endpoint their tasks are for. All that there was before are chat
 * completions, which null means. Plain statements, since TypeORM copies a whole table of SQLite to add a column.
 */
export class AddTaskDialect1772840000000 implements MigrationInterface {
  readonly name = 'AddTaskDialect1772840000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE batch_task ADD COLUMN dialect varchar(32)');
    await queryRunner.query('ALTER TABLE batch_job ADD COLUMN endpoint varchar(64)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE batch_job DROP COLUMN endpoint');
    await queryRunner.query('ALTER TABLE batch_task DROP COLUMN dialect');
  }
}
