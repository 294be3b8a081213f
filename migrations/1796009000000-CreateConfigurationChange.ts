import { MigrationInterface, QueryRunner, Table, TableIndex } from 'typeorm';

/** Edits of gateway.yaml by administrators. */
export class CreateConfigurationChange1796009000000 implements MigrationInterface {
  readonly name = 'CreateConfigurationChange1796009000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.createTable(
      new Table({
        name: 'configuration_change',
        columns: [
          { name: 'id', type: 'varchar', length: '32', isPrimary: true },
          { name: 'created_at', type: 'bigint' },
          { name: 'kind', type: 'varchar', length: '16' },
          { name: 'actor', type: 'varchar', length: '32' },
          { name: 'actor_name', type: 'varchar', length: '200', isNullable: true },
          { name: 'host', type: 'varchar', length: '255' },
          { name: 'note', type: 'varchar', length: '200', isNullable: true },
          { name: 'version', type: 'varchar', length: '64' },
          { name: 'restored_id', type: 'varchar', length: '32', isNullable: true },
          { name: 'added_lines', type: 'integer' },
          { name: 'removed_lines', type: 'integer' },
          { name: 'text', type: 'text' },
        ],
      }),
    );
    await queryRunner.createIndex(
      'configuration_change',
      new TableIndex({ name: 'IDX_configuration_change_created_at_id', columnNames: ['created_at', 'id'] }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable('configuration_change');
  }
}
