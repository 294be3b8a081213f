import { MigrationInterface, QueryRunner, TableIndex } from 'typeorm';

const IS_UNFINISHED = `status IN ('queued', 'in_progress')`;

/** Lists of all keys, the end of jobs past their time and the deletion of old ones read what they look for alone. */
export class IndexUnfinishedJobs1772810000000 implements MigrationInterface {
  readonly name = 'IndexUnfinishedJobs1772810000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.createIndices('batch_job', [
      new TableIndex({ name: 'IDX_batch_job_submitted_at', columnNames: ['submitted_at', 'id'] }),
      new TableIndex({
        name: 'IDX_batch_job_completed_at',
        columnNames: ['completed_at'],
        where: 'completed_at IS NOT NULL',
      }),
      new TableIndex({ name: 'IDX_batch_job_expires_at', columnNames: ['expires_at'], where: IS_UNFINISHED }),
      new TableIndex({
        name: 'IDX_batch_job_failing',
        columnNames: ['submitted_at'],
        where: `error IS NOT NULL AND ${IS_UNFINISHED}`,
      }),
    ]);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const name of ['failing', 'expires_at', 'completed_at', 'submitted_at']) {
      await queryRunner.dropIndex('batch_job', `IDX_batch_job_${name}`);
    }
  }
}
