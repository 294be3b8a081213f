import { Module } from '@nestjs/common';
import { KnownModels } from './known-models.js';
import { Pricing } from './pricing.service.js';

/** What calls cost, and what is publicly known of models. */
@Module({ providers: [KnownModels, Pricing], exports: [KnownModels, Pricing] })
export class PricingModule {}
