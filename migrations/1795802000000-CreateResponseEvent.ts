import { MigrationInterface, QueryRunner, Table, TableIndex } from 'typeorm';

/** Events of streamed responses in the background, which clients read again from any place. */
export class CreateResponseEvent1795802000000 implements MigrationInterface {
  readonly name = 'CreateResponseEvent1795802000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.createTable(
      new Table({
        name: 'stored_response_event',
        columns: [
          { name: 'id', type: 'varchar', length: '32', isPrimary: true },
          { name: 'key_id', type: 'varchar', length: '32' },
          { name: 'response_id', type: 'varchar', length: '128' },
          { name: 'piece', type: 'integer' },
          { name: 'created_at', type: 'bigint' },
          { name: 'frames', type: 'text' },
        ],
      }),
    );
    await queryRunner.createIndex(
      'stored_response_event',
      new TableIndex({
        name: 'IDX_stored_response_event_key_id',
        columnNames: ['key_id', 'response_id', 'piece'],
        isUnique: true,
      }),
    );
    await queryRunner.createIndex(
      'stored_response_event',
      new TableIndex({ name: 'IDX_stored_response_event_created_at', columnNames: ['created_at'] }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable('stored_response_event');
  }
}
