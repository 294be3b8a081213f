import { MigrationInterface, QueryRunner } from 'typeorm';

/** The price tier that a job asks for, what it has cost, and the parts of jobs that are batches of a provider. */
export class AddBatchPricing1796002000000 implements MigrationInterface {
  readonly name = 'AddBatchPricing1796002000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE batch_job ADD COLUMN pricing varchar(8)');
    await queryRunner.query('ALTER TABLE batch_job ADD COLUMN cost_nanos bigint NOT NULL DEFAULT 0');
    await queryRunner.query('ALTER TABLE batch_job ADD COLUMN list_cost_nanos bigint NOT NULL DEFAULT 0');
    await queryRunner.query(`CREATE TABLE batch_part (
      id varchar(40) PRIMARY KEY NOT NULL,
      job_id varchar(40) NOT NULL,
      key_id varchar(32) NOT NULL,
      deployment varchar(400) NOT NULL,
      lane varchar(64) NOT NULL,
      state varchar(16) NOT NULL,
      provider_id varchar(256),
      line_count integer NOT NULL,
      created_at bigint NOT NULL,
      creating_at bigint,
      submitted_at bigint,
      cancel_sent_at bigint,
      abandoned_at bigint,
      ended_at bigint,
      poll_at bigint NOT NULL DEFAULT 0,
      failures integer NOT NULL DEFAULT 0,
      error text,
      worker varchar(64),
      lease_until bigint NOT NULL DEFAULT 0,
      CONSTRAINT "CHK_batch_part_state" CHECK (state IN ('new', 'creating', 'submitted', 'ended')))`);
    await queryRunner.query(`CREATE INDEX "IDX_batch_part_poll_at" ON batch_part (poll_at) WHERE state <> 'ended'`);
    await queryRunner.query('CREATE INDEX "IDX_batch_part_job_id" ON batch_part (job_id)');
    await queryRunner.query(
      `CREATE INDEX "IDX_batch_lane_native" ON batch_lane (job_id) WHERE state = 'ready' AND substr(model, 1, 8) = '~native:'`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX "IDX_batch_lane_native"');
    await queryRunner.query('DROP TABLE batch_part');
    await queryRunner.query('ALTER TABLE batch_job DROP COLUMN list_cost_nanos');
    await queryRunner.query('ALTER TABLE batch_job DROP COLUMN cost_nanos');
    await queryRunner.query('ALTER TABLE batch_job DROP COLUMN pricing');
  }
}
