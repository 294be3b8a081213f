import { MigrationInterface, QueryRunner } from 'typeorm';

/** Tasks that have the result of an identical task of their job. */
export class AddBatchDuplicates1796003100000 implements MigrationInterface {
  readonly name = 'AddBatchDuplicates1796003100000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE batch_task ADD COLUMN same_as integer');
    await queryRunner.query(
      'CREATE INDEX "IDX_batch_task_same_as" ON batch_task (job_id, same_as) WHERE same_as IS NOT NULL',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX "IDX_batch_task_same_as"');
    await queryRunner.query('ALTER TABLE batch_task DROP COLUMN same_as');
  }
}
