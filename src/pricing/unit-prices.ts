import type { PriceConfig } from '../config/gateway-config.js';

/**
 * What providers publish for models that are not billed by tokens and that the price catalogue does not have, in US dollars, by
 * the catalogue's name of the provider. OpenAI: https://platform.openai.com/docs/pricing
 */
const UNIT_PRICES: Readonly<Record<string, Readonly<Record<string, PriceConfig>>>> = {
  openai: {
    'tts-1': { charactersPerMillion: 15 },
    'tts-1-hd': { charactersPerMillion: 30 },
    'dall-e-2': {
      images: [{ size: '256x256', perImage: 0.016 }, { size: '512x512', perImage: 0.018 }, { perImage: 0.02 }],
    },
    'dall-e-3': {
      images: [
        { size: '1024x1024', quality: 'hd', perImage: 0.08 },
        { quality: 'hd', perImage: 0.12 },
        { size: '1024x1024', perImage: 0.04 },
        { perImage: 0.08 },
      ],
    },
  },
};

/** The published price of a model that is billed by images or characters; undefined for any other. */
export function unitPriceOf(priceId: string, model: string): PriceConfig | undefined {
  const prices = Object.hasOwn(UNIT_PRICES, priceId) ? UNIT_PRICES[priceId] : undefined;
  return prices !== undefined && Object.hasOwn(prices, model) ? prices[model] : undefined;
}
