import { MigrationInterface, QueryRunner, TableColumn } from 'typeorm';

/** How the tokens and the cost of a usage record are known; null in the records of earlier versions. */
export class AddUsageCostBasis1772700000000 implements MigrationInterface {
  readonly name = 'AddUsageCostBasis1772700000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.addColumn(
      'usage_record',
      new TableColumn({ name: 'cost_basis', type: 'varchar', length: '16', isNullable: true }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropColumn('usage_record', 'cost_basis');
  }
}
