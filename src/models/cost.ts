import type { Usage } from '../chat/chat-completion.js';
import type { PriceConfig } from '../config/gateway-config.js';

/** US dollars of one completion at the file's price. Tokens of the cache count at their own rates where there are any. */
export function costAtPrice(usage: Usage, price: PriceConfig): number {
  const cached = Math.min(usage.prompt_tokens_details?.cached_tokens ?? 0, usage.prompt_tokens);
  const reported = usage.prompt_tokens_details?.['cache_write_tokens'];
  const written = typeof reported === 'number' ? Math.min(reported, usage.prompt_tokens - cached) : 0;
  return (
    ((usage.prompt_tokens - cached - written) * price.inputPerMillion +
      cached * (price.cachedInputPerMillion ?? price.inputPerMillion) +
      written * (price.cacheWritePerMillion ?? price.inputPerMillion) +
      usage.completion_tokens * price.outputPerMillion) /
    1_000_000
  );
}

const ZERO = 0x30;
const POINT = 0x2e;

/** Dollars as people and parsers read them: no exponent, no noise of floating point, at most 12 decimals. */
export function formatDollars(dollars: number): string {
  const text = dollars.toFixed(12);
  let end = text.length;
  while (text.charCodeAt(end - 1) === ZERO) end -= 1;
  return text.slice(0, text.charCodeAt(end - 1) === POINT ? end - 1 : end);
}
