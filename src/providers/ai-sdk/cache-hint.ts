import type { SharedV3ProviderOptions } from '@ai-sdk/provider';
import { isObject } from '../../runtime/json-value.js';
import type { Dialect } from './dialect.js';

/**
 * Anthropic's `cache_control: {type: "ephemeral", ttl?}`, which clients put on messages, content parts and tools, in the
 * form of the provider. Undefined where there is no hint, or where the provider caches without one.
 */
export function cacheHint(carrier: unknown, { cacheHints }: Dialect): SharedV3ProviderOptions | undefined {
  if (cacheHints === 'none' || !isObject(carrier)) return undefined;
  const hint = carrier['cache_control'];
  if (!isObject(hint) || hint['type'] !== 'ephemeral') return undefined;
  const ttl = hint['ttl'] === '5m' || hint['ttl'] === '1h' ? { ttl: hint['ttl'] } : {};
  return cacheHints === 'cache-control'
    ? { anthropic: { cacheControl: { type: 'ephemeral', ...ttl } } }
    : { bedrock: { cachePoint: { type: 'default', ...ttl } } };
}
