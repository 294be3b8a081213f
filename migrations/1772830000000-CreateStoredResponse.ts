import { MigrationInterface, QueryRunner, Table, TableIndex } from 'typeorm';

/** Responses of the Responses API that are kept for later requests, and which provider encrypted which reasoning. */
export class CreateStoredResponse1772830000000 implements MigrationInterface {
  readonly name = 'CreateStoredResponse1772830000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.createTable(
      new Table({
        name: 'stored_response',
        columns: [
          { name: 'id', type: 'varchar', length: '32', isPrimary: true },
          { name: 'key_id', type: 'varchar', length: '32' },
          { name: 'response_id', type: 'varchar', length: '128' },
          { name: 'previous_id', type: 'varchar', length: '128', isNullable: true },
          { name: 'provider', type: 'varchar', length: '128', isNullable: true },
          { name: 'created_at', type: 'bigint' },
          { name: 'input', type: 'text' },
          { name: 'response', type: 'text' },
        ],
      }),
    );
    await queryRunner.createTable(
      new Table({
        name: 'reasoning_origin',
        columns: [
          { name: 'id', type: 'varchar', length: '64', isPrimary: true },
          { name: 'provider', type: 'varchar', length: '128' },
          { name: 'created_at', type: 'bigint' },
        ],
      }),
    );
    for (const [table, name, columnNames, isUnique] of [
      ['stored_response', 'IDX_stored_response_key_id', ['key_id', 'response_id'], true],
      ['stored_response', 'IDX_stored_response_created_at', ['created_at'], false],
      ['reasoning_origin', 'IDX_reasoning_origin_created_at', ['created_at'], false],
    ] as const) {
      await queryRunner.createIndex(table, new TableIndex({ name, columnNames: [...columnNames], isUnique }));
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable('reasoning_origin');
    await queryRunner.dropTable('stored_response');
  }
}
