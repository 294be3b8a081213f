import { Module } from '@nestjs/common';
import { CallEvents } from './call-events.js';

/** Publishes finished calls to accounting, the request log, metrics and the log. */
@Module({ providers: [CallEvents], exports: [CallEvents] })
export class CallsModule {}
