import { MigrationInterface, QueryRunner, TableIndex } from 'typeorm';

const IS_PENDING = 'webhook_due_at IS NOT NULL';

/** Deliveries are picked for each key; the indexes hold only jobs that have one to make. */
export class IndexWebhooksByKey1772730000000 implements MigrationInterface {
  readonly name = 'IndexWebhooksByKey1772730000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropIndex('batch_job', 'IDX_batch_job_webhook_due_at');
    await queryRunner.createIndices('batch_job', [
      new TableIndex({ name: 'IDX_batch_job_webhook_due_at', columnNames: ['webhook_due_at'], where: IS_PENDING }),
      new TableIndex({
        name: 'IDX_batch_job_webhook_key_id',
        columnNames: ['key_id', 'webhook_due_at'],
        where: IS_PENDING,
      }),
    ]);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropIndex('batch_job', 'IDX_batch_job_webhook_key_id');
    await queryRunner.dropIndex('batch_job', 'IDX_batch_job_webhook_due_at');
    await queryRunner.createIndex(
      'batch_job',
      new TableIndex({ name: 'IDX_batch_job_webhook_due_at', columnNames: ['webhook_due_at'] }),
    );
  }
}
