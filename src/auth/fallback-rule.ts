/**
 * Which fallbacks of a model in gateway.yaml may serve a key: `any`, because they are part of the model that the key may call, or
 * `within_allowed`, those that its `allowed_models` allow.
 */
export const FALLBACK_RULES = ['any', 'within_allowed'] as const;
export type FallbackRule = (typeof FALLBACK_RULES)[number];
