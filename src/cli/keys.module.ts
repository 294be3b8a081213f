import { DynamicModule, Module } from '@nestjs/common';
import { KeysModule } from '../admin/keys/keys.module.js';
import { ConfigModule } from '../config/config.module.js';
import type { Configuration } from '../config/gateway-config.js';
import { DatabaseModule } from '../database/database.module.js';
import { ClusterModule } from '../cluster/cluster.module.js';
import { NoClusterPeers } from '../cluster/cluster-peers.js';
import { SCHEMA } from '../schema.js';
import { RedisModule } from '../redis/redis.module.js';

/** The modules that manage keys, without those that serve requests or run in the background. */
@Module({})
export class KeyCommandsModule {
  static forRoot(config: Configuration): DynamicModule {
    return {
      module: KeyCommandsModule,
      imports: [
        ConfigModule.forRoot(config),
        DatabaseModule.forRoot(SCHEMA),
        RedisModule,
        ClusterModule.forRoot(new NoClusterPeers()),
        KeysModule,
      ],
    };
  }
}
