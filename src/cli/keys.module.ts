import { DynamicModule, Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { ConfigModule } from '../config/config.module.js';
import type { GatewayConfig } from '../config/gateway-config.js';
import { DatabaseModule } from '../database/database.module.js';
import { ProcessesModule } from '../cluster/processes.module.js';
import { NoSiblings } from '../cluster/siblings.js';
import { RedisModule } from '../redis/redis.module.js';

/** What it takes to manage keys, and nothing that serves or runs by itself. */
@Module({})
export class KeysModule {
  static forRoot(config: GatewayConfig): DynamicModule {
    return {
      module: KeysModule,
      imports: [
        ConfigModule.forRoot(config),
        DatabaseModule,
        RedisModule,
        ProcessesModule.forRoot(new NoSiblings()),
        AuthModule,
      ],
    };
  }
}
