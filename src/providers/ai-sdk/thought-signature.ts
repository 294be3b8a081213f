import type { JSONObject, SharedV3ProviderMetadata, SharedV3ProviderOptions } from '@ai-sdk/provider';
import { isObject, nonEmptyString } from '../../runtime/json-value.js';

/**
 * Gemini signs the thinking behind a tool call and wants the signature back with it. It travels where Google's own
 * OpenAI-compatible endpoint puts it: `extra_content.google.thought_signature` of the tool call.
 */
export function toExtraContent(metadata: SharedV3ProviderMetadata | undefined): JSONObject | undefined {
  const [signature] = Object.values(metadata ?? {}).flatMap((own) => nonEmptyString(own['thoughtSignature']) ?? []);
  return signature === undefined ? undefined : { google: { thought_signature: signature } };
}

/** The way back, from a tool call of an assistant message. */
export function fromExtraContent(carrier: unknown, namespace: string): SharedV3ProviderOptions | undefined {
  if (!isObject(carrier) || !isObject(carrier['extra_content'])) return undefined;
  const { google } = carrier['extra_content'];
  const signature = isObject(google) ? nonEmptyString(google['thought_signature']) : undefined;
  return signature === undefined ? undefined : { [namespace]: { thoughtSignature: signature } };
}
