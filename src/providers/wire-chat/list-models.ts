import { upstreamError } from '../../errors/gateway-error.js';
import { isObject } from '../../runtime/json-value.js';
import { type ListedModel, mapModelList } from '../../wire/openai-chat/map-model-list.js';

/** A provider's own list of models. @throws GatewayError when the text is no list */
export function readModelList(text: string): ListedModel[] {
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
