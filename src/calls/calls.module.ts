import { Module } from '@nestjs/common';
import { CallEvents } from './call-events.js';
import { CallHooks } from './call-hook.js';

/** Hooks of calls, and listeners that are notified when a call has ended. */
@Module({ providers: [CallEvents, CallHooks], exports: [CallEvents, CallHooks] })
export class CallsModule {}
