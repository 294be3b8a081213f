import { DynamicModule, Global, Module } from '@nestjs/common';
import { GatewayConfig, staticSettings, type Configuration } from './gateway-config.js';
import { RoutingConfig } from './routing-config.js';

/** Makes the settings injectable everywhere: GatewayConfig never changes, RoutingConfig changes at a reload. */
@Global()
@Module({})
export class ConfigModule {
  static forRoot(config: Configuration): DynamicModule {
    return {
      module: ConfigModule,
      providers: [
        { provide: GatewayConfig, useValue: staticSettings(config) },
        { provide: RoutingConfig, useValue: new RoutingConfig(config) },
      ],
      exports: [GatewayConfig, RoutingConfig],
    };
  }
}
