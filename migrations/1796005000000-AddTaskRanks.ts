import { MigrationInterface, QueryRunner } from 'typeorm';

/** The order in which the tasks of a job start, where it is not that of the submission. */
export class AddTaskRanks1796005000000 implements MigrationInterface {
  readonly name = 'AddTaskRanks1796005000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE batch_task ADD COLUMN rank integer');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE batch_task DROP COLUMN rank');
  }
}
