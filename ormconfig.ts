import { DataSource } from 'typeorm';
import { loadConfig } from './src/config/load-config.js';
import { SCHEMA } from './src/schema.js';
import { dataSourceOptions } from './src/database/data-source-options.js';

/** What TypeORM's command line works on: the same database that the application would open. */
export default new DataSource(dataSourceOptions(loadConfig().database, SCHEMA));
