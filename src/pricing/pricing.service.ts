import { Injectable } from '@nestjs/common';
import type { PriceConfig } from '../config/gateway-config.js';
import { boundNanoDollars, type NanoDollars } from '../runtime/nano-dollars.js';
import type { BilledUsage } from '../operations/billed-tokens.js';
import { costBesideTokens, costOfWebSearches } from './cost-beside-tokens.js';
import { costAtPrice } from './cost.js';
import { PriceCatalog } from './price-catalog.js';

/** The facts on which the price of a deployment depends. */
export interface PricedDeployment {
  readonly baseUrl: string;
  readonly upstreamModel: string;
  /** The price of the configuration, which is used before the catalogue's. */
  readonly price?: PriceConfig | undefined;
}

/** The cost of a call, at the price of the configuration or else of the price catalogue. */
@Injectable()
export class Pricing {
  constructor(private readonly known: PriceCatalog) {}

  /** The cost of one call; null when the price is unknown. */
  async costOf(tokens: BilledUsage, deployment: PricedDeployment): Promise<NanoDollars | null> {
    const cost = await this.costWithoutSearches(tokens, deployment);
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
   */
  async mostOf(tokens: BilledUsage, deployment: PricedDeployment): Promise<NanoDollars | null> {
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
