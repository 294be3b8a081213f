import type { ProviderFile } from '../../fixtures/gateway-config.js';

/** A provider with a batch API of its own, and how the gateway reaches it at the fake provider. */
export interface BatchCloud {
  /** Of the entry and of the model. */
  readonly name: string;
  /** The model's id at the provider. */
  readonly model: string;
  /** @param folder in which credentials may be written */
  readonly entry: (url: string, folder: string) => ProviderFile;
}

export function batchClouds(): readonly BatchCloud[] {
  return [
    {
      name: 'content',
      model: 'gemini-2.5-flash',
      entry: (url) => ({ type: 'google', base_url: `${url}/v1beta`, api_key: 'test-key' }),
    },
  ];
}
