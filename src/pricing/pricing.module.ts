import { Module } from '@nestjs/common';
import { PriceCatalog } from './price-catalog.js';
import { Pricing } from './pricing.service.js';

/** What calls cost, and what is publicly known of models. */
@Module({ providers: [PriceCatalog, Pricing], exports: [PriceCatalog, Pricing] })
export class PricingModule {}
