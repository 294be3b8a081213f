import { MigrationInterface, QueryRunner, Table, TableCheck, TableIndex } from 'typeorm';

/**
 * What waits and what runs is kept in small tables beside the tasks, whose rows then change once: when they end. Jobs that
 * are unfinished at the upgrade get their lanes from the sweeper.
 */
export class AddBatchLanes1772720000000 implements MigrationInterface {
  readonly name = 'AddBatchLanes1772720000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.createTable(
      new Table({
        name: 'batch_lane',
        columns: [
          { name: 'job_id', type: 'varchar', length: '40', isPrimary: true },
          { name: 'model', type: 'varchar', length: '256', isPrimary: true },
          { name: 'lane_group', type: 'varchar', length: '320' },
          { name: 'priority', type: 'integer' },
          { name: 'submitted_at', type: 'bigint' },
          { name: 'expires_at', type: 'bigint' },
          { name: 'next_index', type: 'integer', default: 0 },
          { name: 'end_index', type: 'integer', default: 0 },
          { name: 'requeued', type: 'integer', default: 0 },
          { name: 'state', type: 'varchar', length: '8' },
          { name: 'ready_at', type: 'bigint', default: 0 },
          { name: 'served_at', type: 'bigint' },
        ],
        checks: [
          new TableCheck({ name: 'CHK_batch_lane_state', expression: `state IN ('ready', 'delayed', 'closed')` }),
        ],
        indices: [
          new TableIndex({
            name: 'IDX_batch_lane_ready',
            columnNames: ['lane_group', 'priority', 'submitted_at'],
            where: `state = 'ready'`,
          }),
          new TableIndex({ name: 'IDX_batch_lane_delayed', columnNames: ['ready_at'], where: `state = 'delayed'` }),
        ],
      }),
    );
    await queryRunner.createTable(
      new Table({
        name: 'batch_requeue',
        columns: [
          { name: 'job_id', type: 'varchar', length: '40', isPrimary: true },
          { name: 'task_index', type: 'integer', isPrimary: true },
          { name: 'model', type: 'varchar', length: '256' },
          { name: 'next_run_at', type: 'bigint' },
        ],
        indices: [new TableIndex({ name: 'IDX_batch_requeue_lane', columnNames: ['job_id', 'model', 'next_run_at'] })],
      }),
    );
    await queryRunner.createTable(
      new Table({
        name: 'batch_claim',
        columns: [
          { name: 'id', type: 'varchar', length: '40', isPrimary: true },
          { name: 'worker', type: 'varchar', length: '64' },
          { name: 'lease_until', type: 'bigint' },
          { name: 'version', type: 'integer', default: 0 },
          { name: 'tasks', type: 'text' },
          { name: 'task_count', type: 'integer' },
        ],
      }),
    );
    await queryRunner.query('ALTER TABLE batch_task ADD COLUMN model varchar(256)');
    await queryRunner.query('DROP INDEX "IDX_batch_task_status"');
    if (queryRunner.dataSource.options.type !== 'postgres') return;
    // Rows that change in place leave nothing behind in the indexes; that needs room on their page.
    for (const table of ['batch_task', 'batch_job', 'batch_lane', 'batch_claim']) {
      await queryRunner.query(`ALTER TABLE ${table} SET (fillfactor = 50)`);
    }
    for (const table of ['batch_lane', 'batch_requeue', 'batch_claim']) {
      await queryRunner.query(
        `ALTER TABLE ${table} SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)`,
      );
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('CREATE INDEX "IDX_batch_task_status" ON batch_task (job_id, status, task_index)');
    await queryRunner.query('ALTER TABLE batch_task DROP COLUMN model');
    for (const table of ['batch_claim', 'batch_requeue', 'batch_lane']) await queryRunner.dropTable(table);
    if (queryRunner.dataSource.options.type !== 'postgres') return;
    for (const table of ['batch_task', 'batch_job']) {
      await queryRunner.query(`ALTER TABLE ${table} RESET (fillfactor)`);
    }
  }
}
