import { createHash } from 'node:crypto';
import { isObject, type JsonObject } from '../../runtime/json-value.js';

type Message = Readonly<JsonObject>;

/**
 * The message with ids of tool calls that have a length of their own. The id alone decides what it becomes, so that calls and
 * results still belong together, in every turn.
 *
 * @returns the message itself where nothing has to change
 */
export function fitCallIds(message: Message, length: number): Message {
  const { tool_call_id: resultOf, tool_calls: calls } = message;
  let fitted = message;
  if (typeof resultOf === 'string' && !isFit(resultOf, length)) {
    fitted = { ...fitted, tool_call_id: fitId(resultOf, length) };
  }
  if (!Array.isArray(calls)) return fitted;
  const isUnfit = (call: unknown): call is JsonObject & { id: string } =>
    isObject(call) && typeof call['id'] === 'string' && !isFit(call['id'], length);
  if (!calls.some(isUnfit)) return fitted;
  return {
    ...fitted,
    tool_calls: calls.map((call: unknown) => (isUnfit(call) ? { ...call, id: fitId(call.id, length) } : call)),
  };
}

function isFit(id: string, length: number): boolean {
  return id.length === length && /^[a-zA-Z0-9]+$/.test(id);
}

function fitId(id: string, length: number): string {
  return createHash('sha256').update(id).digest('hex').slice(0, length);
}
