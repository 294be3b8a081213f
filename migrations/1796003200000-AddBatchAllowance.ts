import { MigrationInterface, QueryRunner } from 'typeorm';

/** Tokens of the batches of keys and groups whose limits bound what may be enqueued at once. */
export class AddBatchAllowance1796003200000 implements MigrationInterface {
  readonly name = 'AddBatchAllowance1796003200000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `CREATE TABLE batch_enqueued (account_id varchar(32) NOT NULL, job_id varchar(40) NOT NULL, tokens bigint NOT NULL,
         PRIMARY KEY (account_id, job_id))`,
    );
    await queryRunner.query('CREATE INDEX "IDX_batch_enqueued_job_id" ON batch_enqueued (job_id)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE batch_enqueued');
  }
}
