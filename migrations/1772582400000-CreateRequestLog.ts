import { MigrationInterface, QueryRunner, Table, TableColumn, TableIndex } from 'typeorm';

export class CreateRequestLog1772582400000 implements MigrationInterface {
  readonly name = 'CreateRequestLog1772582400000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.createTable(
      new Table({
        name: 'request_log',
        columns: [
          { name: 'id', type: 'varchar', length: '32', isPrimary: true },
          { name: 'request_id', type: 'varchar', length: '128' },
          { name: 'key_id', type: 'varchar', length: '32' },
          { name: 'model', type: 'varchar', length: '256' },
          { name: 'provider', type: 'varchar', length: '128', isNullable: true },
          { name: 'status', type: 'varchar', length: '16' },
          { name: 'error_code', type: 'varchar', length: '64', isNullable: true },
          { name: 'created_at', type: 'bigint' },
          { name: 'expires_at', type: 'bigint' },
          { name: 'encryption_key', type: 'varchar', length: '16' },
          { name: 'content', type: 'text' },
        ],
      }),
    );
    for (const [name, columnNames] of [
      ['IDX_request_log_created_at_id', ['created_at', 'id']],
      ['IDX_request_log_key_id_created_at', ['key_id', 'created_at']],
      ['IDX_request_log_expires_at', ['expires_at']],
    ] as const) {
      await queryRunner.createIndex('request_log', new TableIndex({ name, columnNames: [...columnNames] }));
    }
    await queryRunner.addColumn('api_key', new TableColumn({ name: 'request_log', type: 'text', isNullable: true }));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropColumn('api_key', 'request_log');
    await queryRunner.dropTable('request_log');
  }
}
