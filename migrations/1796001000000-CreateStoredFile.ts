import { MigrationInterface, QueryRunner } from 'typeorm';

/** Files of clients: uploads and the results of batches. Their content is in the storage of files, under their id. */
export class CreateStoredFile1796001000000 implements MigrationInterface {
  readonly name = 'CreateStoredFile1796001000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `CREATE TABLE stored_file (
         id varchar(40) PRIMARY KEY NOT NULL,
         key_id varchar(32) NOT NULL,
         purpose varchar(32) NOT NULL,
         filename varchar(512) NOT NULL,
         bytes bigint NOT NULL,
         created_at bigint NOT NULL,
         expires_at bigint,
         batch_id varchar(40)
       )`,
    );
    await queryRunner.query('CREATE INDEX "IDX_stored_file_key_id" ON stored_file (key_id, created_at, id)');
    await queryRunner.query(
      'CREATE INDEX "IDX_stored_file_expires_at" ON stored_file (expires_at) WHERE expires_at IS NOT NULL',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE stored_file');
  }
}
