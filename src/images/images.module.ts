import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { ModelEndpointModule } from '../model-endpoint/model-endpoint.module.js';
import { RoutingModule } from '../routing/routing.module.js';
import { ImagesController } from './images.controller.js';

@Module({ imports: [AuthModule, ModelEndpointModule, RoutingModule], controllers: [ImagesController] })
export class ImagesModule {}
