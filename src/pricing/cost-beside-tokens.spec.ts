import { billedTokens, type BilledUsage } from '../operations/billed-tokens.js';
import { boundTokens } from '../runtime/token-count.js';
import { costBesideTokens } from './cost-beside-tokens.js';

const LOCAL = { baseUrl: 'http://127.0.0.1/v1', upstreamModel: 'm' };
const PRICE = { inputPerMillion: 1, outputPerMillion: 0 };

function used(tokens: number, searchUnits?: number): BilledUsage {
  const ofTokens = billedTokens(boundTokens(tokens), boundTokens(0));
  return searchUnits === undefined ? ofTokens : { ...ofTokens, units: { searchUnits } };
}

it.each([
  // Two thousandths of a dollar each, and a millionth for a token.
  [used(0, 3), { ...PRICE, perSearch: 0.002 }, 6_000_000],
  [used(1_000, 3), { ...PRICE, perSearch: 0.002 }, 7_000_000],
  [used(0, 0), { ...PRICE, perSearch: 0.002 }, 0],
  // Without a price for searches they are not known to be free.
  [used(0, 3), PRICE, null],
  [used(0, 3), undefined, null],
  [used(1_000, 3), PRICE, undefined],
  [used(1_000), { ...PRICE, perSearch: 0.002 }, undefined],
])('%j at %j costs %p billionths', (usage, price, nanos) => {
  expect(costBesideTokens(usage, { ...LOCAL, price })).toBe(nanos);
});

it('knows that moderations of OpenAI itself are free', () => {
  const openAi = { baseUrl: 'https://api.openai.com/v1', upstreamModel: 'omni-moderation-latest' };
  expect(costBesideTokens(used(10), openAi)).toBe(0);
  expect(costBesideTokens(used(10), { ...openAi, price: PRICE })).toBeUndefined();
  expect(costBesideTokens(used(10), { ...openAi, upstreamModel: 'gpt-5' })).toBeUndefined();
  expect(costBesideTokens(used(10), { ...openAi, baseUrl: 'https://proxy.example.com/v1' })).toBeUndefined();
});
