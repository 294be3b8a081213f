import { MigrationInterface, QueryRunner, Table, TableIndex } from 'typeorm';

/** Sessions of browsers that have signed in to the console. */
export class CreateConsoleSession1796006000000 implements MigrationInterface {
  readonly name = 'CreateConsoleSession1796006000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.createTable(
      new Table({
        name: 'console_session',
        columns: [
          { name: 'id', type: 'varchar', length: '32', isPrimary: true },
          { name: 'token_hash', type: 'varchar', length: '64' },
          { name: 'key_id', type: 'varchar', length: '32' },
          { name: 'user_agent', type: 'varchar', length: '200', isNullable: true },
          { name: 'created_at', type: 'bigint' },
          { name: 'seen_at', type: 'bigint' },
          { name: 'expires_at', type: 'bigint' },
        ],
        indices: [
          new TableIndex({ name: 'IDX_console_session_created_at_id', columnNames: ['created_at', 'id'] }),
          new TableIndex({ name: 'IDX_console_session_key_id', columnNames: ['key_id'] }),
        ],
      }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable('console_session');
  }
}
