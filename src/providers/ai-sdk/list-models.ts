import type { ProviderConfig } from '../../config/gateway-config.js';
import { upstreamError } from '../../errors/gateway-error.js';
import { isObject } from '../../runtime/json-value.js';
import { type ListedModel, mapModelList } from '../../wire/openai-chat/map-model-list.js';
import { nativeFormatOf } from './native-format.js';

/**
 * The models that a provider lists itself. Empty for those that have no list of what can be called: the deployments of
 * Azure, Bedrock's and Vertex AI's many makers, Perplexity.
 */
export async function listModels(
  type: string,
  config: ProviderConfig,
  fetch: typeof globalThis.fetch,
  signal: AbortSignal,
): Promise<readonly ListedModel[]> {
  const list = nativeFormatOf(type).modelList;
  if (list === undefined) return [];
  const headers = { ...list.headers(config.apiKey ?? ''), ...config.headers };
  const response = await fetch(list.url(config.baseUrl), { method: 'GET', headers, signal });
  return toModels(await response.text());
}

/** @throws GatewayError when there is no list */
export function toModels(text: string): ListedModel[] {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw upstreamError({ message: 'The upstream provider gave no list of models.' });
  }
  return mapModelList(onlyChat(body)).map(({ id, created, owned_by }) => ({
    id: id.replace(/^models\//, ''),
    ...(created !== undefined && { created }),
    ...(owned_by !== undefined && { owned_by }),
  }));
}

/** Gemini lists what embeds and paints as well. */
function onlyChat(body: unknown): unknown {
  if (!isObject(body) || !Array.isArray(body['models'])) return body;
  const models: unknown[] = body['models'];
  return {
    models: models.filter((model) => {
      const methods = isObject(model) ? model['supportedGenerationMethods'] : undefined;
      return !Array.isArray(methods) || methods.includes('generateContent');
    }),
  };
}
