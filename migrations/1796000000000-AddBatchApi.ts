import { MigrationInterface, QueryRunner } from 'typeorm';

/** The API through which a job was submitted, which its clients list apart from others, and when a client asked to cancel it. */
export class AddBatchApi1796000000000 implements MigrationInterface {
  readonly name = 'AddBatchApi1796000000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE batch_job ADD COLUMN api varchar(16)');
    await queryRunner.query('ALTER TABLE batch_job ADD COLUMN cancel_requested_at bigint');
    await queryRunner.query(
      'CREATE INDEX "IDX_batch_job_api" ON batch_job (key_id, api, submitted_at, id) WHERE api IS NOT NULL',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX "IDX_batch_job_api"');
    await queryRunner.query('ALTER TABLE batch_job DROP COLUMN cancel_requested_at');
    await queryRunner.query('ALTER TABLE batch_job DROP COLUMN api');
  }
}
