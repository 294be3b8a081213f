import { MigrationInterface, QueryRunner, TableColumn } from 'typeorm';

const TABLES = ['api_key', 'key_group'];

/** Budgets can be reset and credited. */
export class AddBudgetAdjustment1772802000000 implements MigrationInterface {
  readonly name = 'AddBudgetAdjustment1772802000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const table of TABLES) {
      await queryRunner.addColumn(
        table,
        new TableColumn({ name: 'budget_adjustment', type: 'text', isNullable: true }),
      );
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of TABLES) await queryRunner.dropColumn(table, 'budget_adjustment');
  }
}
