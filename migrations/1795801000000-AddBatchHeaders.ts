import { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A batch job keeps the headers of its submission that belong to the formats of its tasks. A plain statement, since TypeORM copies a
 * whole table of SQLite to add a column.
 */
export class AddBatchHeaders1795801000000 implements MigrationInterface {
  readonly name = 'AddBatchHeaders1795801000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE batch_job ADD COLUMN headers text');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE batch_job DROP COLUMN headers');
  }
}
