import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { ModelEndpointModule } from '../model-endpoint/model-endpoint.module.js';
import { AudioController } from './audio.controller.js';

@Module({ imports: [AuthModule, ModelEndpointModule], controllers: [AudioController] })
export class AudioModule {}
