import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** Whether this run is the one on PostgreSQL; see `npm run test:e2e:postgres`. */
export const isPostgresRun = process.env['TEST_DATABASE'] === 'postgres';

function serverUrl(): string {
  const url = process.env['TEST_POSTGRES_URL'];
  if (url === undefined) throw new Error('TEST_POSTGRES_URL is not set; run the suite with npm run test:e2e:postgres');
  return url;
}

async function query(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl() });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** A new empty database on the test server. @returns its URL */
export async function createDatabase(): Promise<string> {
  const name = `gateway_${randomBytes(6).toString('hex')}`;
  await query(`CREATE DATABASE ${name}`);
  const url = new URL(serverUrl());
  url.pathname = `/${name}`;
  return url.href;
}

export async function dropDatabase(url: string): Promise<void> {
  await query(`DROP DATABASE IF EXISTS ${new URL(url).pathname.slice(1)} WITH (FORCE)`);
}
