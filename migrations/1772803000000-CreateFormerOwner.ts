import { MigrationInterface, QueryRunner, Table } from 'typeorm';

/** What usage records need of keys and groups that are no longer there. */
export class CreateFormerOwner1772803000000 implements MigrationInterface {
  readonly name = 'CreateFormerOwner1772803000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.createTable(
      new Table({
        name: 'former_owner',
        columns: [
          { name: 'id', type: 'varchar', length: '32', isPrimary: true },
          { name: 'name', type: 'varchar', length: '200' },
          { name: 'parent_id', type: 'varchar', length: '32', isNullable: true },
          { name: 'group_id', type: 'varchar', length: '32', isNullable: true },
          { name: 'removed_at', type: 'bigint' },
        ],
        indices: [{ name: 'IDX_former_owner_parent_id', columnNames: ['parent_id'] }],
      }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable('former_owner');
  }
}
