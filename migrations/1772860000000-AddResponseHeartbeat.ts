import { MigrationInterface, QueryRunner } from 'typeorm';

/** Responses that are made in the background: when the process that makes one was last known to run. Null for a finished one. */
export class AddResponseHeartbeat1772860000000 implements MigrationInterface {
  readonly name = 'AddResponseHeartbeat1772860000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE stored_response ADD COLUMN heartbeat_at bigint');
    await queryRunner.query(
      'CREATE INDEX "IDX_stored_response_heartbeat_at" ON stored_response (heartbeat_at) WHERE heartbeat_at IS NOT NULL',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX "IDX_stored_response_heartbeat_at"');
    await queryRunner.query('ALTER TABLE stored_response DROP COLUMN heartbeat_at');
  }
}
