import type { PriceConfig } from '../config/gateway-config.js';
import type { BilledUsage } from '../operations/billed-tokens.js';
import { definitionAt } from '../providers/definitions/registry.js';
import { boundNanoDollars, NO_COST, type NanoDollars } from '../runtime/nano-dollars.js';
import { costAtPrice } from './cost.js';

const NANOS_PER_DOLLAR = 1e9;

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
