import { Module } from '@nestjs/common';
import { InFlight } from './in-flight.service.js';
import { BackgroundThrottle } from './background-throttle.js';
import { Shutdown } from './shutdown.service.js';

/** The calls in flight, and the end of the process. */
@Module({ providers: [InFlight, BackgroundThrottle, Shutdown], exports: [InFlight, BackgroundThrottle, Shutdown] })
export class LifecycleModule {}
