import type { NativeProviderType, ProviderConfig } from '../../config/gateway-config.js';
import { upstreamError } from '../../errors/gateway-error.js';
import { isObject } from '../../runtime/json-value.js';
import { type ListedModel, mapModelList } from '../../wire/openai-chat/map-model-list.js';

interface ListRequest {
  readonly url: string;
  readonly headers: Record<string, string>;
}

/**
 * The models that a provider lists itself. Empty for those that have no list of what can be called: the deployments of
 * Azure, Bedrock's and Vertex AI's many makers, Perplexity.
 */
export async function listModels(
  type: NativeProviderType,
  config: ProviderConfig,
  fetch: typeof globalThis.fetch,
  signal: AbortSignal,
): Promise<readonly ListedModel[]> {
  const request = listRequest(type, config);
  if (request === undefined) return [];
  const { url, headers } = request;
  const response = await fetch(url, { method: 'GET', headers: { ...headers, ...config.headers }, signal });
  return toModels(await response.text());
}

function listRequest(type: NativeProviderType, { baseUrl, apiKey = '' }: ProviderConfig): ListRequest | undefined {
  switch (type) {
    case 'anthropic':
      return {
        url: `${baseUrl}/models?limit=1000`,
        headers: { 'x-api-key': apiKey, 'anthropic-version': '2023-06-01' },
      };
    case 'google':
      return { url: `${baseUrl}/models?pageSize=1000`, headers: { 'x-goog-api-key': apiKey } };
    case 'cohere':
      // The list has stayed where it was when the chat moved on to version 2.
      return {
        url: `${baseUrl.replace(/\/v2$/, '/v1')}/models?endpoint=chat&page_size=1000`,
        headers: { authorization: `Bearer ${apiKey}` },
      };
    case 'mistral':
    case 'xai':
    case 'groq':
    case 'deepseek':
    case 'together':
    case 'fireworks':
      return { url: `${baseUrl}/models`, headers: { authorization: `Bearer ${apiKey}` } };
    case 'vertex':
    case 'bedrock':
    case 'azure':
    case 'perplexity':
      return undefined;
  }
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
