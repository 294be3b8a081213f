import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { HealthController } from './health.controller.js';
import { InFlight } from './in-flight.service.js';
import { Shutdown } from './shutdown.service.js';

@Module({
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
  providers: [InFlight, Shutdown],
  exports: [InFlight, Shutdown],
})
export class HealthModule {}
