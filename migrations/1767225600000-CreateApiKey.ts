import { MigrationInterface, QueryRunner, Table, TableIndex } from 'typeorm';

export class CreateApiKey1767225600000 implements MigrationInterface {
  readonly name = 'CreateApiKey1767225600000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.createTable(
      new Table({
        name: 'gateway_setting',
        columns: [
          { name: 'name', type: 'varchar', length: '64', isPrimary: true },
          { name: 'value', type: 'text' },
        ],
      }),
    );
    await queryRunner.createTable(
      new Table({
        name: 'api_key',
        columns: [
          { name: 'id', type: 'varchar', length: '32', isPrimary: true },
          { name: 'name', type: 'varchar', length: '200' },
          { name: 'hash', type: 'varchar', length: '64' },
          { name: 'hint', type: 'varchar', length: '16' },
          { name: 'previous_hash', type: 'varchar', length: '64', isNullable: true },
          { name: 'previous_expires_at', type: 'bigint', isNullable: true },
          { name: 'scopes', type: 'text' },
          { name: 'allowed_models', type: 'text', isNullable: true },
          { name: 'metadata', type: 'text', isNullable: true },
          { name: 'created_by', type: 'varchar', length: '32' },
          { name: 'created_at', type: 'bigint' },
          { name: 'expires_at', type: 'bigint', isNullable: true },
          { name: 'revoked_at', type: 'bigint', isNullable: true },
        ],
      }),
    );
    await queryRunner.createIndex(
      'api_key',
      new TableIndex({ name: 'IDX_api_key_created_at_id', columnNames: ['created_at', 'id'] }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable('api_key');
    await queryRunner.dropTable('gateway_setting');
  }
}
