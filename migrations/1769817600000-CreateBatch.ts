import { MigrationInterface, QueryRunner, Table, TableCheck, TableIndex } from 'typeorm';

export class CreateBatch1769817600000 implements MigrationInterface {
  readonly name = 'CreateBatch1769817600000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.createTable(
      new Table({
        name: 'batch_job',
        columns: [
          { name: 'id', type: 'varchar', length: '40', isPrimary: true },
          { name: 'key_id', type: 'varchar', length: '32' },
          { name: 'model', type: 'varchar', length: '256' },
          { name: 'defaults', type: 'text' },
          { name: 'metadata', type: 'text', isNullable: true },
          { name: 'priority', type: 'varchar', length: '8' },
          { name: 'status', type: 'varchar', length: '16' },
          { name: 'task_count', type: 'integer' },
          { name: 'completed_count', type: 'integer', default: 0 },
          { name: 'failed_count', type: 'integer', default: 0 },
          { name: 'cancelled_count', type: 'integer', default: 0 },
          { name: 'expired_count', type: 'integer', default: 0 },
          { name: 'error', type: 'text', isNullable: true },
          { name: 'submitted_at', type: 'bigint' },
          { name: 'started_at', type: 'bigint', isNullable: true },
          { name: 'completed_at', type: 'bigint', isNullable: true },
          { name: 'expires_at', type: 'bigint' },
          { name: 'idempotency_key', type: 'varchar', length: '255', isNullable: true },
          { name: 'request_hash', type: 'varchar', length: '64', isNullable: true },
          { name: 'webhook_url', type: 'varchar', length: '2048', isNullable: true },
          { name: 'webhook_secret', type: 'varchar', length: '128', isNullable: true },
          { name: 'webhook_attempts', type: 'integer', default: 0 },
          { name: 'webhook_due_at', type: 'bigint', isNullable: true },
        ],
        checks: [
          new TableCheck({
            name: 'CHK_batch_job_status',
            expression: `status IN ('staging', 'queued', 'in_progress', 'completed', 'failed', 'cancelling', 'cancelled', 'expired')`,
          }),
          new TableCheck({ name: 'CHK_batch_job_priority', expression: `priority IN ('high', 'normal', 'low')` }),
        ],
        indices: [
          new TableIndex({ name: 'IDX_batch_job_key_id', columnNames: ['key_id', 'submitted_at', 'id'] }),
          new TableIndex({ name: 'IDX_batch_job_status', columnNames: ['status', 'submitted_at'] }),
          new TableIndex({ name: 'IDX_batch_job_webhook_due_at', columnNames: ['webhook_due_at'] }),
          new TableIndex({
            name: 'IDX_batch_job_idempotency',
            columnNames: ['key_id', 'idempotency_key'],
            isUnique: true,
          }),
        ],
      }),
    );
    await queryRunner.createTable(
      new Table({
        name: 'batch_task',
        columns: [
          { name: 'job_id', type: 'varchar', length: '40', isPrimary: true },
          { name: 'task_index', type: 'integer', isPrimary: true },
          { name: 'custom_id', type: 'varchar', length: '512' },
          { name: 'kind', type: 'varchar', length: '16', default: `'chat'` },
          { name: 'request', type: 'text' },
          { name: 'status', type: 'varchar', length: '16', default: `'queued'` },
          { name: 'fence', type: 'integer', default: 0 },
          { name: 'lease_until', type: 'bigint', isNullable: true },
          { name: 'worker', type: 'varchar', length: '64', isNullable: true },
          { name: 'next_run_at', type: 'bigint', default: 0 },
          { name: 'attempts', type: 'integer', default: 0 },
          { name: 'response', type: 'text', isNullable: true },
          { name: 'error', type: 'text', isNullable: true },
          { name: 'finished_at', type: 'bigint', isNullable: true },
        ],
        checks: [
          new TableCheck({
            name: 'CHK_batch_task_status',
            expression: `status IN ('staging', 'queued', 'running', 'succeeded', 'failed', 'cancelled', 'expired')`,
          }),
        ],
        indices: [new TableIndex({ name: 'IDX_batch_task_status', columnNames: ['job_id', 'status', 'task_index'] })],
      }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable('batch_task');
    await queryRunner.dropTable('batch_job');
  }
}
