import { MigrationInterface, QueryRunner, Table, TableColumn, TableIndex } from 'typeorm';

/** People who sign in by OpenID Connect, and the keys that they own. */
export class CreateConsoleUser1796007000000 implements MigrationInterface {
  readonly name = 'CreateConsoleUser1796007000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.createTable(
      new Table({
        name: 'console_user',
        columns: [
          { name: 'id', type: 'varchar', length: '32', isPrimary: true },
          { name: 'issuer', type: 'varchar', length: '512' },
          { name: 'name', type: 'varchar', length: '200' },
          { name: 'role', type: 'varchar', length: '16' },
          { name: 'created_at', type: 'bigint' },
          { name: 'signed_in_at', type: 'bigint' },
        ],
      }),
    );
    await queryRunner.addColumn(
      'console_session',
      new TableColumn({ name: 'user_name', type: 'varchar', length: '200', isNullable: true }),
    );
    await queryRunner.addColumn(
      'console_session',
      new TableColumn({ name: 'id_token', type: 'text', isNullable: true }),
    );
    await queryRunner.addColumn(
      'api_key',
      new TableColumn({ name: 'owner', type: 'varchar', length: '200', isNullable: true }),
    );
    await queryRunner.createIndex('api_key', new TableIndex({ name: 'IDX_api_key_owner', columnNames: ['owner'] }));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropIndex('api_key', 'IDX_api_key_owner');
    await queryRunner.dropColumn('api_key', 'owner');
    await queryRunner.dropColumn('console_session', 'id_token');
    await queryRunner.dropColumn('console_session', 'user_name');
    await queryRunner.dropTable('console_user');
  }
}
