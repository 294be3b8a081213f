import { MigrationInterface, QueryRunner, Table, TableColumn, TableIndex } from 'typeorm';

const KEY_COLUMNS = [
  new TableColumn({ name: 'group_id', type: 'varchar', length: '32', isNullable: true }),
  new TableColumn({ name: 'limits', type: 'text', isNullable: true }),
  new TableColumn({ name: 'budget', type: 'text', isNullable: true }),
];

export class AddUsageAndLimits1772409600000 implements MigrationInterface {
  readonly name = 'AddUsageAndLimits1772409600000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const column of KEY_COLUMNS) await queryRunner.addColumn('api_key', column.clone());
    await queryRunner.createIndex(
      'api_key',
      new TableIndex({ name: 'IDX_api_key_group_id', columnNames: ['group_id'] }),
    );
    await queryRunner.createTable(
      new Table({
        name: 'key_group',
        columns: [
          { name: 'id', type: 'varchar', length: '32', isPrimary: true },
          { name: 'name', type: 'varchar', length: '200' },
          { name: 'limits', type: 'text', isNullable: true },
          { name: 'budget', type: 'text', isNullable: true },
          { name: 'metadata', type: 'text', isNullable: true },
          { name: 'created_by', type: 'varchar', length: '32' },
          { name: 'created_at', type: 'bigint' },
        ],
      }),
    );
    await queryRunner.createIndex(
      'key_group',
      new TableIndex({ name: 'IDX_key_group_created_at_id', columnNames: ['created_at', 'id'] }),
    );
    await queryRunner.createTable(
      new Table({
        name: 'usage_record',
        columns: [
          { name: 'id', type: 'varchar', length: '32', isPrimary: true },
          { name: 'created_at', type: 'bigint' },
          { name: 'request_id', type: 'varchar', length: '128' },
          { name: 'key_id', type: 'varchar', length: '32' },
          { name: 'group_id', type: 'varchar', length: '32', isNullable: true },
          { name: 'source', type: 'varchar', length: '8' },
          { name: 'requested_model', type: 'varchar', length: '256' },
          { name: 'model', type: 'varchar', length: '256' },
          { name: 'provider', type: 'varchar', length: '128', isNullable: true },
          { name: 'upstream_model', type: 'varchar', length: '256', isNullable: true },
          { name: 'is_stream', type: 'boolean' },
          { name: 'status', type: 'varchar', length: '16' },
          { name: 'http_status', type: 'integer' },
          { name: 'error_code', type: 'varchar', length: '64', isNullable: true },
          { name: 'attempts', type: 'integer' },
          { name: 'prompt_tokens', type: 'integer' },
          { name: 'completion_tokens', type: 'integer' },
          { name: 'total_tokens', type: 'integer' },
          { name: 'cached_tokens', type: 'integer' },
          { name: 'reasoning_tokens', type: 'integer' },
          { name: 'is_estimated', type: 'boolean' },
          { name: 'cost_nanos', type: 'bigint', isNullable: true },
          { name: 'first_byte_ms', type: 'integer', isNullable: true },
          { name: 'duration_ms', type: 'integer' },
          { name: 'end_user', type: 'varchar', length: '512', isNullable: true },
          { name: 'metadata', type: 'text', isNullable: true },
        ],
        indices: [
          { name: 'IDX_usage_record_created_at_id', columnNames: ['created_at', 'id'] },
          { name: 'IDX_usage_record_key_id_created_at', columnNames: ['key_id', 'created_at'] },
          { name: 'IDX_usage_record_group_id_created_at', columnNames: ['group_id', 'created_at'] },
        ],
      }),
    );
    await queryRunner.createTable(
      new Table({
        name: 'budget_alert',
        columns: [
          { name: 'id', type: 'varchar', length: '128', isPrimary: true },
          { name: 'created_at', type: 'bigint' },
        ],
      }),
    );
    await queryRunner.createTable(
      new Table({
        name: 'audit_entry',
        columns: [
          { name: 'id', type: 'varchar', length: '32', isPrimary: true },
          { name: 'created_at', type: 'bigint' },
          { name: 'actor', type: 'varchar', length: '32' },
          { name: 'action', type: 'varchar', length: '32' },
          { name: 'target_type', type: 'varchar', length: '16' },
          { name: 'target_id', type: 'varchar', length: '32' },
          { name: 'changes', type: 'text' },
        ],
        indices: [
          { name: 'IDX_audit_entry_created_at_id', columnNames: ['created_at', 'id'] },
          { name: 'IDX_audit_entry_target_id', columnNames: ['target_id'] },
        ],
      }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of ['audit_entry', 'budget_alert', 'usage_record', 'key_group'])
      await queryRunner.dropTable(table);
    await queryRunner.dropIndex('api_key', 'IDX_api_key_group_id');
    for (const { name } of KEY_COLUMNS) await queryRunner.dropColumn('api_key', name);
  }
}
