import { invalidRequest } from '../errors/gateway-error.js';
import { isObject, nonEmptyString, type JsonObject } from '../runtime/json-value.js';
import type { KeptResponse } from './response-store.js';
import { MAX_ID_CHARACTERS } from './stored-response.entity.js';

/** `<kind>_<response><number>`: an item of a response that the gateway made. */
const OWN_ITEM = /^[a-z]+_([0-9a-f]{48})[0-9a-f]{4}$/;
/** Items that are found by what they say, so that an id which the provider does not know can be left out. */
const NAMELESS = new Set([
  'message',
  'function_call',
  'custom_tool_call',
  'function_call_output',
  'custom_tool_call_output',
]);

/** The items of an input; a text is one message of the user. */
export function inputItems(input: unknown): readonly unknown[] {
  if (Array.isArray(input)) return input;
  return input === undefined || input === null ? [] : [{ role: 'user', content: input }];
}

/** The items of an earlier turn, as the input of another. Reasoning that only the provider keeps stays out. */
export function turnItems({ input, response }: KeptResponse): JsonObject[] {
  const output = Array.isArray(response['output']) ? response['output'].filter(isObject) : [];
  return [...input, ...output].flatMap((item) => {
    if (item['type'] === 'reasoning') {
      const isReadable = nonEmptyString(item['encrypted_content']) !== undefined || hasText(item['summary']);
      return isReadable ? [item] : [];
    }
    const type = item['type'] ?? 'message';
    if (typeof type !== 'string' || !NAMELESS.has(type)) return [item];
    const { id: _id, status: _status, ...nameless } = item;
    return [nameless];
  });
}

function hasText(summary: unknown): boolean {
  return Array.isArray(summary) && summary.length > 0;
}

/** Finds responses of the key that asks. */
export interface Finder {
  readonly responses: (responseIds: readonly string[]) => Promise<readonly KeptResponse[]>;
  /** Responses that have an item with the id. */
  readonly holding: (itemId: string) => Promise<readonly KeptResponse[]>;
}

/**
 * Puts items in place of references to them: those of the conversation, and those of other responses of the key. A provider keeps
 * items of all keys of the gateway, so that a reference which is not the key's own never reaches it.
 *
 * @returns the very items where there is no reference among them
 * @throws GatewayError 400 for an item that the key does not have
 */
export async function resolveReferences(
  items: readonly unknown[],
  turns: readonly KeptResponse[],
  find: Finder,
): Promise<readonly unknown[]> {
  const references = items.map(referenceOf);
  const wanted = references.filter((id) => id !== undefined);
  if (wanted.length === 0) return items;
  const known = new Map<string, JsonObject>();
  const add = ({ input, response }: KeptResponse): void => {
    const output = Array.isArray(response['output']) ? response['output'].filter(isObject) : [];
    for (const item of [...input, ...output]) if (typeof item['id'] === 'string') known.set(item['id'], item);
  };
  turns.forEach(add);
  const responses = new Set(wanted.filter((id) => !known.has(id)).flatMap((id) => responseOf(id) ?? []));
  if (responses.size > 0) (await find.responses([...responses])).forEach(add);
  for (const id of new Set(wanted)) if (!known.has(id)) (await find.holding(id)).forEach(add);
  return items.map((item, index) => {
    const id = references[index];
    if (id === undefined) return item;
    const found = known.get(id);
    if (found !== undefined) return found;
    throw invalidRequest(
      `Item with id '${id.slice(0, MAX_ID_CHARACTERS)}' not found. Send the item itself.`,
      `input[${index}]`,
    );
  });
}

function responseOf(itemId: string): string | undefined {
  const [, base] = OWN_ITEM.exec(itemId) ?? [];
  return base === undefined ? undefined : `resp_${base}`;
}

function referenceOf(item: unknown): string | undefined {
  if (!isObject(item)) return undefined;
  const { type, id, role } = item;
  const isReference = type === 'item_reference' || ((type === undefined || type === null) && role === undefined);
  return isReference ? nonEmptyString(id) : undefined;
}
