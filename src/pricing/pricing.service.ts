import { Injectable } from '@nestjs/common';
import type { PriceConfig, TierPricesConfig } from '../config/gateway-config.js';
import { boundNanoDollars, type NanoDollars } from '../runtime/nano-dollars.js';
import type { BilledUsage } from '../operations/billed-tokens.js';
import { costBesideTokens, costOfWebSearches } from './cost-beside-tokens.js';
import { costAtPrice } from './cost.js';
import type { PriceTier } from '../runtime/price-tier.js';
import { PriceCatalog } from './price-catalog.js';
import { costInTier } from './tier-price.js';

/** The facts on which the price of a deployment depends. */
export interface PricedDeployment {
  readonly baseUrl: string;
  readonly upstreamModel: string;
  /** The price of the configuration, which is used before the catalogue's. */
  readonly price?: PriceConfig | undefined;
  /** The prices of tiers of the configuration, which are used before those that the provider publishes. */
  readonly tierPrices?: TierPricesConfig | undefined;
}

/** The cost of a call, at the price of the configuration or else of the price catalogue. */
@Injectable()
export class Pricing {
  constructor(private readonly known: PriceCatalog) {}

  /**
   * The cost of one call; null when the price is unknown.
   *
   * @param tier the tier of service in which the provider made the response; default: the list price
   */
  async costOf(tokens: BilledUsage, deployment: PricedDeployment, tier?: PriceTier): Promise<NanoDollars | null> {
    const atListPrice = await this.costWithoutSearches(tokens, deployment);
    // Searches of the web have no price of a tier.
    const cost = tier === undefined ? atListPrice : costInTier(tokens, tier, deployment, atListPrice);
    const ofSearches = costOfWebSearches(tokens, deployment);
    return cost === null || ofSearches === 0 ? cost : boundNanoDollars(cost + ofSearches);
  }

  private async costWithoutSearches(tokens: BilledUsage, deployment: PricedDeployment): Promise<NanoDollars | null> {
    const beside = costBesideTokens(tokens, deployment);
    if (beside !== undefined) return beside;
    const { baseUrl, upstreamModel, price } = deployment;
    return price === undefined ? this.known.costOf(tokens, baseUrl, upstreamModel) : costAtPrice(tokens, price);
  }

  /**
   * The most that prompt and completion of these lengths can cost: a prompt that is put into a cache may cost more, most of all for
   * an hour.
   *
   * @param tier the tier of service that the request asks for; the provider may serve it at the list price
   */
  async mostOf(tokens: BilledUsage, deployment: PricedDeployment, tier?: PriceTier): Promise<NanoDollars | null> {
    const atListPrice = await this.mostAtListPrice(tokens, deployment);
    if (tier === undefined || atListPrice === null) return atListPrice;
    return boundNanoDollars(Math.max(atListPrice, costInTier(tokens, tier, deployment, atListPrice) ?? 0));
  }

  private async mostAtListPrice(tokens: BilledUsage, deployment: PricedDeployment): Promise<NanoDollars | null> {
    const plain = await this.costOf(tokens, deployment);
    if (plain === null) return null;
    const { promptTokens, mayCacheForAnHour } = tokens;
    const written = { ...tokens, cacheWriteTokens: promptTokens };
    let most = Math.max(plain, (await this.costOf(written, deployment)) ?? 0);
    if (mayCacheForAnHour === true) {
      const forAnHour = await this.costOf({ ...written, cacheWrite1hTokens: promptTokens }, deployment);
      most = Math.max(most, forAnHour ?? 0);
    }
    return boundNanoDollars(most);
  }
}
