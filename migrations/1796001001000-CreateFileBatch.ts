import { MigrationInterface, QueryRunner } from 'typeorm';

/** Jobs whose requests are the lines of a file: what is known of them beside their row of `batch_job`. */
export class CreateFileBatch1796001001000 implements MigrationInterface {
  readonly name = 'CreateFileBatch1796001001000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `CREATE TABLE file_batch (
         job_id varchar(40) PRIMARY KEY NOT NULL,
         input_file_id varchar(40) NOT NULL,
         output_file_id varchar(40) NOT NULL,
         error_file_id varchar(40) NOT NULL,
         completion_window varchar(8) NOT NULL,
         output_expiry_seconds integer,
         stage varchar(8) NOT NULL,
         worker varchar(64),
         lease_until bigint NOT NULL DEFAULT 0,
         faults text,
         "usage" text,
         top_error text,
         imported_at bigint,
         finished_at bigint,
         CONSTRAINT "CHK_file_batch_stage" CHECK (stage IN ('import', 'run', 'done')))`,
    );
    await queryRunner.query(
      `CREATE INDEX "IDX_file_batch_stage" ON file_batch (stage, lease_until) WHERE stage IN ('import', 'run')`,
    );
    await queryRunner.query(
      'CREATE INDEX "IDX_stored_file_batch_id" ON stored_file (batch_id) WHERE batch_id IS NOT NULL',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX "IDX_stored_file_batch_id"');
    await queryRunner.query('DROP TABLE file_batch');
  }
}
