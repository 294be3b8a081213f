import { Module } from '@nestjs/common';
import { InFlight } from './in-flight.service.js';
import { LiveLoad } from './live-load.service.js';
import { Shutdown } from './shutdown.service.js';

/** What is in flight, and how the process ends. */
@Module({ providers: [InFlight, LiveLoad, Shutdown], exports: [InFlight, LiveLoad, Shutdown] })
export class LifecycleModule {}
