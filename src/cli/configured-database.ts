import type { DataSource } from 'typeorm';
import type { DatabaseConfig } from '../config/gateway-config.js';

/** Connects to a database of the gateway. What that takes is loaded only now, so that other commands start without it. */
export async function connectConfigured(database: DatabaseConfig): Promise<DataSource> {
  const { connectDatabase } = await import('../database/open-database.js');
  const { SCHEMA } = await import('../schema.js');
  return connectDatabase(database, SCHEMA);
}
