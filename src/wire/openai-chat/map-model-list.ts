import { upstreamError } from '../../errors/gateway-error.js';
import { isObject, JsonObject, nonEmptyString } from '../../runtime/json-value.js';
import { createdSeconds } from './generated-ids.js';

/** One entry of a provider's own list. */
export interface ListedModel {
  readonly id: string;
  /** Unix seconds. */
  readonly created?: number | undefined;
  readonly owned_by?: string | undefined;
}

/**
 * The models out of a provider's list: OpenAI's `{data}`, Ollama's and Gemini's `{models}`, Together's bare array.
 * Entries without a name are left out, and so are repeated ones.
 *
 * @throws GatewayError when there is no list
 */
export function mapModelList(body: unknown): ListedModel[] {
  const entries = listOf(body);
  if (entries === undefined) throw upstreamError({ message: 'The upstream provider gave no list of models.' });
  const models = new Map<string, ListedModel>();
  for (const entry of entries) {
    const model = mapModel(entry);
    if (model !== undefined && !models.has(model.id)) models.set(model.id, model);
  }
  return [...models.values()];
}

function listOf(body: unknown): readonly unknown[] | undefined {
  if (Array.isArray(body)) return body as unknown[];
  if (!isObject(body) || !('data' in body || 'models' in body)) return undefined;
  const lists = [body['data'], body['models']].filter((list) => Array.isArray(list)) as unknown[][];
  // Some servers say null for an empty list, or fill only one of the two.
  return lists.find((list) => list.length > 0) ?? [];
}

function mapModel(entry: unknown): ListedModel | undefined {
  if (typeof entry === 'string') return entry === '' ? undefined : { id: entry };
  if (!isObject(entry)) return undefined;
  const id = nonEmptyString(entry['id']) ?? nonEmptyString(entry['name']) ?? nonEmptyString(entry['model']);
  if (id === undefined) return undefined;
  const { created, owned_by: owner, ...rest } = entry;
  const model: JsonObject & { id: string } = { ...rest, id };
  if (typeof created === 'number' && created > 0) model['created'] = createdSeconds(created, 0);
  if (typeof owner === 'string') model['owned_by'] = owner;
  return model;
}
