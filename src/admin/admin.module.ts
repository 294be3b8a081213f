import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit/audit.module.js';
import { ChatModule } from '../chat/chat.module.js';
import { ModelsModule } from '../models/models.module.js';
import { GatewayInstance } from './instances/gateway-instance.entity.js';
import { InstancesController } from './instances/instances.controller.js';
import { Instances } from './instances/instances.service.js';
import { ProviderTests } from './providers/provider-test.service.js';
import { ProvidersController } from './providers/providers.controller.js';

/** What operators ask of the running gateway as a whole. */
@Module({
  imports: [TypeOrmModule.forFeature([GatewayInstance]), AuditModule, ChatModule, ModelsModule],
  controllers: [InstancesController, ProvidersController],
  providers: [Instances, ProviderTests],
  exports: [Instances],
})
export class AdminModule {}
