import { MigrationInterface, QueryRunner, Table, TableColumn, TableIndex } from 'typeorm';

const COLUMNS = ['hash_scheme', 'previous_hash_scheme'];
const HASHES = ['hash', 'previous_hash'];

/** Each hash of a key names the pepper that it was made with, and processes name the pepper that they hold. */
export class AddPepperRotation1772801000000 implements MigrationInterface {
  readonly name = 'AddPepperRotation1772801000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const name of COLUMNS) {
      await queryRunner.addColumn(
        'api_key',
        new TableColumn({ name, type: 'varchar', length: '32', isNullable: true }),
      );
    }
    await queryRunner.query(
      `UPDATE api_key SET hash_scheme = (SELECT value FROM gateway_setting WHERE name = 'pepper_fingerprint')`,
    );
    await queryRunner.query(`UPDATE api_key SET previous_hash_scheme = hash_scheme WHERE previous_hash IS NOT NULL`);
    // Imported keys are found by their hash.
    for (const column of HASHES) {
      await queryRunner.createIndex(
        'api_key',
        new TableIndex({ name: `IDX_api_key_${column}`, columnNames: [column] }),
      );
    }
    await queryRunner.createTable(
      new Table({
        name: 'key_pepper_holder',
        columns: [
          { name: 'id', type: 'varchar', length: '32', isPrimary: true },
          { name: 'host', type: 'varchar', length: '255' },
          { name: 'pid', type: 'integer' },
          { name: 'fingerprint', type: 'varchar', length: '32' },
          { name: 'seen_at', type: 'bigint' },
        ],
      }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable('key_pepper_holder');
    for (const column of HASHES) await queryRunner.dropIndex('api_key', `IDX_api_key_${column}`);
    for (const name of COLUMNS) await queryRunner.dropColumn('api_key', name);
  }
}
