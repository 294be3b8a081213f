import { Global, Module } from '@nestjs/common';
import { GatewayConfig } from '../config/gateway-config.js';
import { SharedRedis } from './shared-redis.js';

@Global()
@Module({
  providers: [
    {
      provide: SharedRedis,
      inject: [GatewayConfig],
      useFactory: async ({ redisUrl }: GatewayConfig): Promise<SharedRedis> =>
        redisUrl === undefined
          ? new SharedRedis()
          : new SharedRedis(redisUrl, (await import('./connect-redis.js')).connectRedis),
    },
  ],
  exports: [SharedRedis],
})
export class RedisModule {}
