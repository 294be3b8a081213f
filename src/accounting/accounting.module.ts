import { Module } from '@nestjs/common';
import { CallsModule } from '../calls/calls.module.js';
import { LimitsModule } from '../limits/limits.module.js';
import { PricingModule } from '../pricing/pricing.module.js';
import { RoutingModule } from '../routing/routing.module.js';
import { Accounting } from './accounting.service.js';

/** Writes the usage records of finished calls and settles their reservations. */
@Module({ imports: [CallsModule, LimitsModule, PricingModule, RoutingModule], providers: [Accounting] })
export class AccountingModule {}
