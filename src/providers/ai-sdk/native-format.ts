import type { ProviderConfig } from '../../config/gateway-config.js';
import type { ModelFactory, NativeFormat } from '../definitions/definition.js';
import { definitionOfType } from '../definitions/registry.js';

/** @throws Error for a type without a format of its own, which the configuration does not let through */
export function nativeFormatOf(type: string): NativeFormat {
  const native = definitionOfType(type)?.native;
  if (native === undefined) throw new Error(`There is no provider format of type ${type}.`);
  return native;
}

/** The language models of a configured provider. Its package is loaded now, so that an unused provider costs neither time nor memory. */
export function loadPackage(
  type: string,
  config: ProviderConfig,
  fetch: typeof globalThis.fetch,
): Promise<ModelFactory> {
  const settings = { apiKey: config.apiKey ?? '', baseURL: config.baseUrl, headers: { ...config.headers }, fetch };
  return nativeFormatOf(type).load(settings, config.cloud ?? {});
}
