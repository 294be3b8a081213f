import { Injectable } from '@nestjs/common';
import type { Principal } from '../auth/principal.js';
import { invalidRequest } from '../errors/gateway-error.js';
import { isObject, type JsonObject } from '../runtime/json-value.js';
import { inputItems } from './conversation-items.js';
import type { CompactedResponseDto, DeletedResponseDto, InputItemListDto } from './response.dto.js';
import type { InputItemsQueryDto } from './response-reading.dto.js';
import { ResponseStore } from './response-store.js';

const DEFAULT_ITEMS = 20;

/** Responses that are kept, as their key sees them. */
@Injectable()
export class ResponsesService {
  constructor(private readonly responses: ResponseStore) {}

  /** @throws GatewayError 404 for an id that the key does not have */
  async read({ keyId }: Principal, responseId: string): Promise<JsonObject> {
    return (await this.responses.read(keyId, responseId)).response;
  }

  async delete({ keyId }: Principal, responseId: string): Promise<DeletedResponseDto> {
    await this.responses.delete(keyId, responseId);
    return { id: responseId, object: 'response', deleted: true };
  }

  async listInput(
    { keyId }: Principal,
    responseId: string,
    { limit = DEFAULT_ITEMS, order = 'desc', after }: InputItemsQueryDto,
  ): Promise<InputItemListDto> {
    const { input } = await this.responses.read(keyId, responseId);
    const inOrder = withOwnIds(input);
    const items = order === 'asc' ? inOrder : inOrder.toReversed();
    const from = after === undefined ? 0 : items.findIndex(({ id }) => id === after) + 1;
    if (after !== undefined && from === 0) {
      throw invalidRequest(`'after' names no item of this response: '${after}'.`, 'after');
    }
    const data = items.slice(from, from + limit);
    const idOf = (item: JsonObject | undefined): string | null => (item === undefined ? null : String(item['id']));
    return {
      object: 'list',
      data,
      first_id: idOf(data[0]),
      last_id: idOf(data.at(-1)),
      has_more: from + limit < items.length,
    };
  }
}

/** Items that a cursor can name: an id that a client gave to several of them gets the number of its repetition. */
function withOwnIds(items: readonly JsonObject[]): readonly JsonObject[] {
  const ids = new Set<string>();
  const given = new Set(items.map(({ id }) => String(id)));
  return items.map((item) => {
    const id = String(item['id']);
    let own = id;
    for (let count = 2; ids.has(own) || (own !== id && given.has(own)); count += 1) own = `${id}_${count}`;
    ids.add(own);
    return own === id ? item : { ...item, id: own };
  });
}

/** The request that compacts a conversation: its items, and a last one that asks for the compaction. */
export function compactionBody(body: unknown): unknown {
  if (!isObject(body)) return body;
  const input = [...inputItems(body['input']), { type: 'compaction_trigger' }];
  return { ...body, input, store: false, stream: false, background: false };
}

/** A compacted conversation: what the model made of it, as exactly one item. */
export function compactedOf(response: JsonObject): CompactedResponseDto {
  const output = Array.isArray(response['output']) ? response['output'].filter(isObject) : [];
  const compaction = output.findLast(({ type }) => type === 'compaction');
  return {
    id: String(response['id']),
    object: 'response.compaction',
    created_at: Number(response['created_at']),
    output: compaction === undefined ? output : [compaction],
    usage: response['usage'],
  };
}
