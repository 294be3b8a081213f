import { MigrationInterface, QueryRunner, Table } from 'typeorm';

export class CreateGatewayInstance1772770000000 implements MigrationInterface {
  readonly name = 'CreateGatewayInstance1772770000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.createTable(
      new Table({
        name: 'gateway_instance',
        columns: [
          { name: 'id', type: 'varchar', length: '32', isPrimary: true },
          { name: 'host', type: 'varchar', length: '255' },
          { name: 'pid', type: 'integer' },
          { name: 'role', type: 'varchar', length: '16' },
          { name: 'version', type: 'varchar', length: '64' },
          { name: 'configuration_hash', type: 'varchar', length: '16' },
          { name: 'started_at', type: 'bigint' },
          { name: 'reloaded_at', type: 'bigint', isNullable: true },
          { name: 'seen_at', type: 'bigint' },
        ],
      }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable('gateway_instance');
  }
}
