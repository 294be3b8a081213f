import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuthModule } from '../auth/auth.module.js';
import { AuditModule } from '../audit/audit.module.js';
import { EngineModule } from '../engine/engine.module.js';
import { RoutingModule } from '../routing/routing.module.js';
import { AdminDeploymentsController } from './deployments/admin-deployments.controller.js';
import { DeploymentDrains } from './deployments/deployment-drains.service.js';
import { ConfigurationChange } from './configuration/configuration-change.entity.js';
import { ConfigurationEdits } from './configuration/configuration-edits.service.js';
import { ConfigurationEditsController } from './configuration/configuration-edits.controller.js';
import { ConfigurationController } from './configuration/configuration.controller.js';
import { ConfigurationReport } from './configuration/configuration.service.js';
import { KeysModule } from './keys/keys.module.js';
import { GatewayInstance } from './instances/gateway-instance.entity.js';
import { InstancesController } from './instances/instances.controller.js';
import { Instances } from './instances/instances.service.js';
import { KnownProviders } from './providers/known-providers.service.js';
import { KnownProvidersController } from './providers/known-providers.controller.js';
import { ProviderTests } from './providers/provider-test.service.js';
import { ProvidersController } from './providers/providers.controller.js';

/** Endpoints for operators that concern the running gateway as a whole. */
@Module({
  imports: [
    TypeOrmModule.forFeature([ConfigurationChange, GatewayInstance]),
    AuditModule,
    AuthModule,
    EngineModule,
    KeysModule,
    RoutingModule,
  ],
  controllers: [
    AdminDeploymentsController,
    ConfigurationController,
    ConfigurationEditsController,
    InstancesController,
    KnownProvidersController,
    ProvidersController,
  ],
  providers: [ConfigurationEdits, ConfigurationReport, DeploymentDrains, Instances, KnownProviders, ProviderTests],
  exports: [Instances],
})
export class AdminModule {}
