import { MigrationInterface, QueryRunner } from 'typeorm';

/** Encrypted reasoning is pinned to the deployment that made it: the provider and its model. Null in rows of before. */
export class AddReasoningModel1772851000000 implements MigrationInterface {
  readonly name = 'AddReasoningModel1772851000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE reasoning_origin ADD COLUMN upstream_model varchar(256)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE reasoning_origin DROP COLUMN upstream_model');
  }
}
