import { createHash } from 'node:crypto';
import type { RoutingSettings } from '../../config/gateway-config.js';

/** Digits of the hash: enough to distinguish configurations, but too few to verify guesses of a provider's key. */
const HASH_DIGITS = 12;

/** Equal for the same providers, models and upstream settings, in any order of their members. */
export function configurationHash({ providers, models, expose, upstream, retry, health }: RoutingSettings): string {
  const text = JSON.stringify({ providers, models, expose, upstream, retry, health }, sorted);
  return createHash('sha256').update(text).digest('hex').slice(0, HASH_DIGITS);
}

function sorted(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([first], [second]) => (first < second ? -1 : 1)));
}
