/** Tiers of service that providers bill at other prices than their list prices. */
export const PRICE_TIERS = ['batch', 'flex', 'priority'] as const;
export type PriceTier = (typeof PRICE_TIERS)[number];

/** What a tier costs, as a factor of the list price. A tier that is absent has no published price of its own. */
export type TierFactors = Readonly<Partial<Record<PriceTier, number>>>;

/** The price tier that a provider's name of a service tier stands for; undefined for those at the list price. */
export function priceTierOf(serviceTier: unknown): PriceTier | undefined {
  if (typeof serviceTier !== 'string') return undefined;
  const name = serviceTier.toLowerCase();
  return PRICE_TIERS.find((tier) => tier === name);
}
