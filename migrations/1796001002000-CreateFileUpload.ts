import { MigrationInterface, QueryRunner } from 'typeorm';

/** Files that clients upload in parts. */
export class CreateFileUpload1796001002000 implements MigrationInterface {
  readonly name = 'CreateFileUpload1796001002000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `CREATE TABLE file_upload (
         id varchar(40) PRIMARY KEY NOT NULL,
         key_id varchar(32) NOT NULL,
         purpose varchar(32) NOT NULL,
         filename varchar(512) NOT NULL,
         bytes bigint NOT NULL,
         status varchar(16) NOT NULL,
         created_at bigint NOT NULL,
         expires_at bigint NOT NULL,
         file_expiry_seconds integer,
         file_id varchar(40),
         CONSTRAINT "CHK_file_upload_status" CHECK (status IN ('pending', 'completed', 'cancelled', 'expired')))`,
    );
    await queryRunner.query('CREATE INDEX "IDX_file_upload_key_id" ON file_upload (key_id, status)');
    await queryRunner.query('CREATE INDEX "IDX_file_upload_expires_at" ON file_upload (expires_at)');
    await queryRunner.query(
      `CREATE TABLE file_upload_part (
         id varchar(40) PRIMARY KEY NOT NULL,
         upload_id varchar(40) NOT NULL,
         bytes bigint NOT NULL,
         created_at bigint NOT NULL
       )`,
    );
    await queryRunner.query('CREATE INDEX "IDX_file_upload_part_upload_id" ON file_upload_part (upload_id)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE file_upload_part');
    await queryRunner.query('DROP TABLE file_upload');
  }
}
