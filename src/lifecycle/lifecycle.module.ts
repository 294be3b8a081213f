import { Module } from '@nestjs/common';
import { InFlight } from './in-flight.service.js';
import { BackgroundThrottle } from './background-throttle.js';
import { Shutdown } from './shutdown.service.js';

/** What is in flight, and how the process ends. */
@Module({ providers: [InFlight, BackgroundThrottle, Shutdown], exports: [InFlight, BackgroundThrottle, Shutdown] })
export class LifecycleModule {}
