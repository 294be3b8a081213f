import fc from 'fast-check';
import { billedTokens } from '../operations/billed-tokens.js';
import { boundNanoDollars } from '../runtime/nano-dollars.js';
import { priceTierOf, PRICE_TIERS } from '../runtime/price-tier.js';
import { boundTokens } from '../runtime/token-count.js';
import { PriceCatalog } from './price-catalog.js';
import { Pricing } from './pricing.service.js';
import { factorOf } from './tier-price.js';

const OPENAI = 'https://api.openai.com/v1';
const LOCAL = 'http://127.0.0.1:8000/v1';
const PRICE = { inputPerMillion: 2, outputPerMillion: 8 };
const pricing = new Pricing(new PriceCatalog());
const usage = billedTokens(boundTokens(1_000), boundTokens(500));

describe('the price of a tier', () => {
  it.each([
    ['batch', OPENAI, 'gpt-5-mini', 0.5],
    ['flex', OPENAI, 'gpt-5-mini', 0.5],
    ['flex', OPENAI, 'o4-mini-2025-04-16', 0.5],
    // Models without the tier are billed at their list price, also where a response says otherwise.
    ['flex', OPENAI, 'gpt-4o', 1],
    ['priority', OPENAI, 'gpt-5', 2],
    ['priority', OPENAI, 'gpt-5-mini-2025-08-07', 1.8],
    ['priority', OPENAI, 'gpt-4.1', 1.75],
    ['priority', OPENAI, 'gpt-4o', 1.7],
    ['priority', OPENAI, 'gpt-5-nano', 1],
    ['batch', 'https://api.anthropic.com/v1', 'claude-sonnet-4-5', 0.5],
    ['priority', 'https://api.anthropic.com/v1', 'claude-sonnet-4-5', 1],
    ['batch', 'https://api.groq.com/openai/v1', 'llama-3.3-70b-versatile', 0.5],
    ['flex', 'https://api.groq.com/openai/v1', 'llama-3.3-70b-versatile', 1],
    ['batch', 'https://generativelanguage.googleapis.com/v1beta', 'gemini-2.5-flash', 0.5],
    ['batch', 'https://bedrock-runtime.us-east-1.amazonaws.com', 'us.anthropic.claude-sonnet-4-5-20250929-v1:0', 0.5],
    ['batch', 'https://us-central1-aiplatform.googleapis.com', 'gemini-2.5-flash', 0.5],
    ['batch', LOCAL, 'any', 0.5],
    ['flex', LOCAL, 'any', 0.5],
    ['priority', LOCAL, 'any', 1],
  ] as const)('%s at %s for %s is %d times the list price', (tier, baseUrl, upstreamModel, factor) => {
    expect(factorOf(tier, { baseUrl, upstreamModel })).toBeCloseTo(factor, 10);
  });

  it('is the factor or the prices of the configuration, before what the provider publishes', async () => {
    const deployment = { baseUrl: OPENAI, upstreamModel: 'gpt-5-mini', price: PRICE };
    expect(await pricing.costOf(usage, deployment)).toBe(6_000_000);
    expect(await pricing.costOf(usage, deployment, 'batch')).toBe(3_000_000);
    const tierPrices = { batch: { factor: 0.25 }, flex: { inputPerMillion: 1, outputPerMillion: 1 } };
    expect(await pricing.costOf(usage, { ...deployment, tierPrices }, 'batch')).toBe(1_500_000);
    expect(await pricing.costOf(usage, { ...deployment, tierPrices }, 'flex')).toBe(1_500_000);
    expect(await pricing.costOf(usage, { ...deployment, tierPrices }, 'priority')).toBe(10_800_000);
  });

  it('holds for cached tokens as well, and for no search of the web', async () => {
    const cached = { ...usage, cachedTokens: boundTokens(600), units: { webSearches: 2 } };
    const price = { ...PRICE, cachedInputPerMillion: 0.2, perWebSearch: 0.01 };
    const deployment = { baseUrl: LOCAL, upstreamModel: 'm', price };
    const tokens = 400 * 2_000 + 600 * 200 + 500 * 8_000;
    expect(await pricing.costOf(cached, deployment, 'batch')).toBe(tokens / 2 + 20_000_000);
  });

  it('is unknown where the list price is, unless the configuration has prices of the tier', async () => {
    const deployment = { baseUrl: LOCAL, upstreamModel: 'm' };
    expect(await pricing.costOf(usage, deployment, 'flex')).toBeNull();
    const tierPrices = { flex: { inputPerMillion: 1, outputPerMillion: 2 } };
    expect(await pricing.costOf(usage, { ...deployment, tierPrices }, 'flex')).toBe(2_000_000);
  });

  it('bounds a request that asks for a tier by the larger of both prices', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0, max: 100, noNaN: true }),
        fc.constantFrom(...PRICE_TIERS),
        async (factor, tier) => {
          const deployment = { baseUrl: LOCAL, upstreamModel: 'm', price: PRICE, tierPrices: { [tier]: { factor } } };
          const most = (await pricing.mostOf(usage, deployment, tier)) ?? 0;
          expect(most).toBe(boundNanoDollars(6_000_000 * Math.max(1, factor)));
        },
      ),
      { numRuns: 30 },
    );
  });
});

it('a tier has the names of providers', () => {
  expect(['flex', 'PRIORITY', 'batch'].map(priceTierOf)).toEqual(['flex', 'priority', 'batch']);
  expect(['default', 'standard', 'auto', 'on_demand', '', undefined, 7].map(priceTierOf)).toEqual(
    Array.from({ length: 7 }, () => undefined),
  );
});
