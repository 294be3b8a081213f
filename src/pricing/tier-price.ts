import type { PriceConfig, TierPricesConfig } from '../config/gateway-config.js';
import type { BilledUsage } from '../operations/billed-tokens.js';
import { definitionAt } from '../providers/definitions/registry.js';
import { boundNanoDollars, type NanoDollars } from '../runtime/nano-dollars.js';
import type { PriceTier } from '../runtime/price-tier.js';
import { costAtPrice } from './cost.js';

/** The facts on which the price of a tier depends. */
interface TierDeployment {
  readonly baseUrl: string;
  readonly upstreamModel: string;
  readonly price?: PriceConfig | undefined;
  readonly tierPrices?: TierPricesConfig | undefined;
}

/**
 * What a call in a tier of service costs.
 *
 * @param atListPrice its cost at the list price; null where that is unknown
 * @returns null where neither the list price nor a price of the tier is known
 */
export function costInTier(
  usage: BilledUsage,
  tier: PriceTier,
  deployment: TierDeployment,
  atListPrice: NanoDollars | null,
): NanoDollars | null {
  const own = deployment.tierPrices?.[tier];
  if (own?.inputPerMillion !== undefined) {
    const { factor: _none, ...prices } = own;
    return costAtPrice(usage, { ...beside(deployment.price), ...prices });
  }
  if (atListPrice === null) return null;
  return boundNanoDollars(atListPrice * factorOf(tier, deployment));
}

/** What tiers cost at a server that says that it served a request in them, and of which no prices are published. */
const USUAL_FACTORS: Readonly<Record<PriceTier, number>> = { batch: 0.5, flex: 0.5, priority: 1 };

/** The price of a tier as a factor of the list price: that of the configuration, else the provider's, else the usual one. */
export function factorOf(tier: PriceTier, deployment: TierDeployment): number {
  const own = deployment.tierPrices?.[tier]?.factor;
  if (own !== undefined) return own;
  const published = publishedFactor(tier, deployment);
  if (published !== undefined) return published;
  // A provider whose prices are known, and that publishes none of the tier, bills it at its list price.
  const isKnown = definitionAt(deployment.baseUrl)?.tierFactors !== undefined;
  return isKnown ? 1 : USUAL_FACTORS[tier];
}

/** Undefined where the provider publishes no price of the tier for the model. */
export function publishedFactor(
  tier: PriceTier,
  { baseUrl, upstreamModel }: Pick<TierDeployment, 'baseUrl' | 'upstreamModel'>,
): number | undefined {
  return definitionAt(baseUrl)?.tierFactors?.(upstreamModel)[tier];
}

/** What a price names beside tokens; a price of a tier names tokens alone. */
function beside(price: PriceConfig | undefined): PriceConfig {
  if (price === undefined) return {};
  const { images, audioPerSecond, audioPerMinute, charactersPerMillion } = price;
  return { images, audioPerSecond, audioPerMinute, charactersPerMillion };
}

/** Whether a deployment is called with `service_tier: flex` by jobs that ask for it. */
export function hasFlexTier(deployment: TierDeployment): boolean {
  const isOffered = publishedFactor('flex', deployment) !== undefined || deployment.tierPrices?.flex !== undefined;
  return isOffered && (deployment.tierPrices?.flex?.inputPerMillion !== undefined || factorOf('flex', deployment) < 1);
}
