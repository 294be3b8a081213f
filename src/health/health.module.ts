import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { ModelsModule } from '../models/models.module.js';
import { HealthController } from './health.controller.js';
import { InFlight } from '../lifecycle/in-flight.service.js';
import { LiveLoad } from '../lifecycle/live-load.service.js';
import { Shutdown } from '../lifecycle/shutdown.service.js';

@Module({
  imports: [TerminusModule.forRoot({ logger: false }), ModelsModule],
  controllers: [HealthController],
  providers: [InFlight, LiveLoad, Shutdown],
  exports: [InFlight, LiveLoad, Shutdown],
})
export class HealthModule {}
