import { MigrationInterface, QueryRunner, TableCheck } from 'typeorm';

const NAME = 'CHK_batch_lane_state';

/** Jobs can be paused, and the lanes of a paused job are not claimed from. */
export class AddBatchPause1772780000000 implements MigrationInterface {
  readonly name = 'AddBatchPause1772780000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE batch_job ADD COLUMN paused_at bigint');
    await replaceCheck(queryRunner, `state IN ('ready', 'delayed', 'paused', 'closed')`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`UPDATE batch_lane SET state = 'ready' WHERE state = 'paused'`);
    await replaceCheck(queryRunner, `state IN ('ready', 'delayed', 'closed')`);
    await queryRunner.query('ALTER TABLE batch_job DROP COLUMN paused_at');
  }
}

async function replaceCheck(queryRunner: QueryRunner, expression: string): Promise<void> {
  await queryRunner.dropCheckConstraint('batch_lane', NAME);
  await queryRunner.createCheckConstraint('batch_lane', new TableCheck({ name: NAME, expression }));
}
