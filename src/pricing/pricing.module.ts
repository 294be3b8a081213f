import { Module } from '@nestjs/common';
import { PriceCatalog } from './price-catalog.js';
import { Pricing } from './pricing.service.js';

/** The cost of calls, and published facts about models. */
@Module({ providers: [PriceCatalog, Pricing], exports: [PriceCatalog, Pricing] })
export class PricingModule {}
