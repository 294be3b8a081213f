import { MigrationInterface, QueryRunner } from 'typeorm';

const COLUMNS = { wire_format: 'varchar(32)', service_tier: 'varchar(64)', web_searches: 'integer' } as const;
const INDEX = 'IDX_usage_record_session_id_created_at';

/**
 * Usage records name the wire format of the client, the provider's service tier and the searches that the provider made, and are found
 * by their session. Plain statements, since TypeORM copies a whole table of SQLite to add a column.
 */
export class AddWireFormatAndTier1795800000000 implements MigrationInterface {
  readonly name = 'AddWireFormatAndTier1795800000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const [name, type] of Object.entries(COLUMNS)) {
      await queryRunner.query(`ALTER TABLE usage_record ADD COLUMN ${name} ${type}`);
    }
    // Most records of applications have no session, and cost no entry.
    await queryRunner.query(
      `CREATE INDEX "${INDEX}" ON usage_record (session_id, created_at) WHERE session_id IS NOT NULL`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP INDEX "${INDEX}"`);
    for (const name of Object.keys(COLUMNS)) await queryRunner.query(`ALTER TABLE usage_record DROP COLUMN ${name}`);
  }
}
