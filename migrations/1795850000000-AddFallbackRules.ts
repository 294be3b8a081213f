import { MigrationInterface, QueryRunner, TableColumn } from 'typeorm';

const TABLES = ['api_key', 'key_group'];

/** Keys and groups can be kept from the fallbacks that they may not call. Null is the rule of before. */
export class AddFallbackRules1795850000000 implements MigrationInterface {
  readonly name = 'AddFallbackRules1795850000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const table of TABLES) {
      await queryRunner.addColumn(
        table,
        new TableColumn({ name: 'fallbacks', type: 'varchar', length: '16', isNullable: true }),
      );
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of TABLES) await queryRunner.dropColumn(table, 'fallbacks');
  }
}
