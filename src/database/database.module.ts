import { type DynamicModule, Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { GatewayConfig } from '../config/gateway-config.js';
import { dataSourceOptions, type Schema } from './data-source-options.js';
import { Database } from './database.js';
import { openDatabase } from './open-database.js';

/** The migrated database, for every module. */
@Global()
@Module({})
export class DatabaseModule {
  static forRoot(schema: Schema): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRootAsync({
          inject: [GatewayConfig],
          useFactory: ({ database, migratesAtStart }: GatewayConfig) => ({
            ...dataSourceOptions(database, schema),
            migrationsRun: migratesAtStart,
            retryAttempts: 0,
          }),
          dataSourceFactory: (options) => {
            if (options === undefined) throw new Error('TypeORM was given no options');
            return openDatabase(databaseOf(options), schema, { migrates: options.migrationsRun ?? true });
          },
        }),
      ],
      providers: [
        { provide: Database, inject: [DataSource], useFactory: (dataSource: DataSource) => new Database(dataSource) },
      ],
      exports: [Database],
    };
  }
}

function databaseOf(options: ReturnType<typeof dataSourceOptions>): GatewayConfig['database'] {
  if (options.type === 'postgres') return { kind: 'postgres', url: options.url ?? '', poolSize: options.poolSize };
  return { kind: 'sqlite', path: String(options.database) };
}
