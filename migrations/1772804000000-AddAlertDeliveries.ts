import { MigrationInterface, QueryRunner, TableIndex } from 'typeorm';

const COLUMNS = [
  `owner varchar(32) NOT NULL DEFAULT 'alerts'`,
  'event text',
  'webhook_attempts integer NOT NULL DEFAULT 0',
  'webhook_due_at bigint',
];
const INDEXES = [
  { name: 'IDX_budget_alert_webhook_due_at', columnNames: ['webhook_due_at'], where: 'webhook_due_at IS NOT NULL' },
  {
    name: 'IDX_budget_alert_webhook_owner',
    columnNames: ['owner', 'webhook_due_at'],
    where: 'webhook_due_at IS NOT NULL',
  },
];

/** Alerts are stored with what is to be delivered, so that they outlive the process that gives them. */
export class AddAlertDeliveries1772804000000 implements MigrationInterface {
  readonly name = 'AddAlertDeliveries1772804000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const column of COLUMNS) await queryRunner.query(`ALTER TABLE budget_alert ADD COLUMN ${column}`);
    for (const index of INDEXES) await queryRunner.createIndex('budget_alert', new TableIndex(index));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const { name } of INDEXES) await queryRunner.dropIndex('budget_alert', name);
    for (const column of COLUMNS) {
      await queryRunner.query(`ALTER TABLE budget_alert DROP COLUMN ${column.split(' ')[0] ?? ''}`);
    }
  }
}
