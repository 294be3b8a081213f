import { MigrationInterface, QueryRunner } from 'typeorm';

/** Results of jobs that are written to a bucket: what clients see of it, and what is left to write. */
export class AddBatchOutput1796010000000 implements MigrationInterface {
  readonly name = 'AddBatchOutput1796010000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE batch_job ADD COLUMN output text');
    await queryRunner.query(
      `CREATE TABLE batch_output (job_id varchar(40) PRIMARY KEY NOT NULL, bucket varchar(63) NOT NULL,
         object_key varchar(1100) NOT NULL, worker varchar(64), lease_until bigint NOT NULL DEFAULT 0,
         attempts integer NOT NULL DEFAULT 0, failing_since bigint, upload_id varchar(2048),
         bytes bigint NOT NULL DEFAULT 0, after_index integer NOT NULL DEFAULT -1, skip_bytes bigint NOT NULL DEFAULT 0)`,
    );
    await queryRunner.query('CREATE UNIQUE INDEX "IDX_batch_output_object" ON batch_output (bucket, object_key)');
    await queryRunner.query('CREATE INDEX "IDX_batch_output_lease_until" ON batch_output (lease_until)');
    await queryRunner.query(
      `CREATE TABLE batch_output_part (job_id varchar(40) NOT NULL, number integer NOT NULL, tag varchar(256) NOT NULL,
         PRIMARY KEY (job_id, number))`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE batch_output_part');
    await queryRunner.query('DROP TABLE batch_output');
    await queryRunner.query('ALTER TABLE batch_job DROP COLUMN output');
  }
}
