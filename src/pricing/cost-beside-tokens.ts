import type { PriceConfig } from '../config/gateway-config.js';
import type { BilledUsage } from '../operations/billed-tokens.js';
import { definitionAt } from '../providers/definitions/registry.js';
import { boundNanoDollars, NO_COST, type NanoDollars } from '../runtime/nano-dollars.js';
import { costAtPrice } from './cost.js';

const NANOS_PER_DOLLAR = 1e9;

/**
 * The cost of the searches that a provider made for a chat call: at the price of the configuration, or else at the provider's list price.
 * 0 where neither is known.
 */
export function costOfWebSearches(
  { units }: BilledUsage,
  { baseUrl, upstreamModel, price }: { baseUrl: string; upstreamModel: string; price?: PriceConfig | undefined },
): number {
  const { webSearches = 0 } = units ?? {};
  if (webSearches === 0) return 0;
  const perSearch = price?.perWebSearch ?? definitionAt(baseUrl)?.webSearchPrice?.(upstreamModel) ?? 0;
  return webSearches * perSearch * NANOS_PER_DOLLAR;
}

/**
 * The cost of what is not billed by tokens alone: searches of reranking, and models that are free. Null where searches have no
 * price; undefined where only tokens are billed.
 */
export function costBesideTokens(
  usage: BilledUsage,
  { baseUrl, upstreamModel, price }: { baseUrl: string; upstreamModel: string; price?: PriceConfig | undefined },
): NanoDollars | null | undefined {
  const { searchUnits } = usage.units ?? {};
  if (searchUnits !== undefined) {
    const { perSearch } = price ?? {};
    if (price !== undefined && perSearch !== undefined) {
      return boundNanoDollars((costAtPrice(usage, price) ?? NO_COST) + searchUnits * perSearch * NANOS_PER_DOLLAR);
    }
    return usage.totalTokens === 0 ? null : undefined;
  }
  const isFree = price === undefined && definitionAt(baseUrl)?.freeModels?.test(upstreamModel) === true;
  return isFree ? NO_COST : undefined;
}
