import { MigrationInterface, QueryRunner } from 'typeorm';

/** Options of a job that say when and how fast its tasks run, and what they may cost; what they need to be kept by all processes. */
export class AddBatchControl1796003000000 implements MigrationInterface {
  readonly name = 'AddBatchControl1796003000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE batch_job ADD COLUMN options text');
    await queryRunner.query('ALTER TABLE batch_job ADD COLUMN held_until bigint');
    await queryRunner.query('ALTER TABLE batch_job ADD COLUMN hold_reason varchar(16)');
    await queryRunner.query('ALTER TABLE batch_job ADD COLUMN pause_source varchar(8)');
    await queryRunner.query('ALTER TABLE batch_job ADD COLUMN spent_nanos bigint NOT NULL DEFAULT 0');
    await queryRunner.query('ALTER TABLE batch_job ADD COLUMN cost_refused_count integer NOT NULL DEFAULT 0');
    await queryRunner.query('ALTER TABLE batch_job ADD COLUMN max_claim integer');
    await queryRunner.query('ALTER TABLE batch_lane ADD COLUMN max_claim integer');
    await queryRunner.query('CREATE TABLE batch_rate (job_id varchar(40) PRIMARY KEY NOT NULL, log text NOT NULL)');
    await queryRunner.query(
      `CREATE TABLE batch_share (job_id varchar(40) NOT NULL, worker varchar(64) NOT NULL, slots integer NOT NULL,
         reserved_nanos bigint NOT NULL, expires_at bigint NOT NULL, PRIMARY KEY (job_id, worker))`,
    );
    await queryRunner.query('CREATE INDEX "IDX_batch_share_worker" ON batch_share (worker)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE batch_share');
    await queryRunner.query('DROP TABLE batch_rate');
    await queryRunner.query('ALTER TABLE batch_lane DROP COLUMN max_claim');
    for (const column of [
      'max_claim',
      'cost_refused_count',
      'spent_nanos',
      'pause_source',
      'hold_reason',
      'held_until',
      'options',
    ]) {
      await queryRunner.query(`ALTER TABLE batch_job DROP COLUMN ${column}`);
    }
  }
}
