import { MigrationInterface, QueryRunner, Table } from 'typeorm';

/** Deployments that administrators have taken out of service. */
export class CreateDeploymentDrain1796012000000 implements MigrationInterface {
  readonly name = 'CreateDeploymentDrain1796012000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.createTable(
      new Table({
        name: 'deployment_drain',
        columns: [
          { name: 'place', type: 'varchar', length: '800', isPrimary: true },
          { name: 'deployment', type: 'varchar', length: '400' },
          { name: 'reason', type: 'varchar', length: '200', isNullable: true },
          { name: 'actor', type: 'varchar', length: '32' },
          { name: 'actor_name', type: 'varchar', length: '200' },
          { name: 'created_at', type: 'bigint' },
          { name: 'expires_at', type: 'bigint', isNullable: true },
        ],
      }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable('deployment_drain');
  }
}
