import { MigrationInterface, QueryRunner, TableColumn, TableIndex } from 'typeorm';

/** Keys know the key that made them, whose bounds hold for them; audit entries know what was there before. */
export class AddKeyParent1772740000000 implements MigrationInterface {
  readonly name = 'AddKeyParent1772740000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.addColumn(
      'api_key',
      new TableColumn({ name: 'parent_id', type: 'varchar', length: '32', isNullable: true }),
    );
    await queryRunner.createIndex(
      'api_key',
      new TableIndex({ name: 'IDX_api_key_parent_id', columnNames: ['parent_id'] }),
    );
    await queryRunner.addColumn('audit_entry', new TableColumn({ name: 'before', type: 'text', isNullable: true }));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropColumn('audit_entry', 'before');
    await queryRunner.dropIndex('api_key', 'IDX_api_key_parent_id');
    await queryRunner.dropColumn('api_key', 'parent_id');
  }
}
