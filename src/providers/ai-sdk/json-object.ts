import type { JSONObject, JSONValue, SharedV3ProviderOptions } from '@ai-sdk/provider';

/** Values that came out of a JSON body are JSON values; this says so to the compiler, in one place. */
export function asJsonObject(value: Record<string, unknown>): JSONObject {
  return value as JSONObject;
}

export function asJsonValue(value: unknown): JSONValue {
  return value as JSONValue;
}

/** Puts options under a provider's key beside those that are there. Changes `options`. */
export function addOptions(options: SharedV3ProviderOptions, namespace: string, added: JSONObject): void {
  options[namespace] = { ...options[namespace], ...added };
}
