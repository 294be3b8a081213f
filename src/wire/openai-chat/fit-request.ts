import { isObject, JsonObject, nonEmptyString } from '../../runtime/json-value.js';
import { unsupportedSearch } from '../hosted-tools.js';
import { fitCallIds } from './fit-call-ids.js';
import { isIgnorable, limitStops } from './ignorable-params.js';
import type { FieldRules } from '../../providers/definitions/types/field-rules.js';

/** A request that was adapted to a server, and the names of dropped parameters. */
export interface FittedRequest {
  /** Fields of the request that the server cannot take, and that the client will miss. */
  readonly dropped: readonly string[];
  /** Fields of earlier messages that were left out. Most come from the gateway's own responses, so they are not reported as faults. */
  readonly droppedFromHistory: readonly string[];
}

type Message = Readonly<JsonObject>;

/**
 * Removes what the server is known to refuse, and repairs responses of other servers in the history. The body is changed in place;
 * its messages belong to the client's request, so changed ones are copied.
 *
 * @param rules of a server that refuses unknown fields; undefined for any other
 * @throws GatewayError 400 for a search of the web that the server lacks and that is all the request offers
 */
export function fitRequest(body: JsonObject, rules: FieldRules | undefined): FittedRequest {
  const dropped: string[] = [];
  const fromHistory = new Set<string>();
  fitStop(body, rules?.maxStops, dropped);
  if (rules !== undefined) fitFields(body, rules, dropped);
  const { messages } = body;
  if (Array.isArray(messages)) {
    let changed: Message[] | undefined;
    for (let index = 0; index < messages.length; index += 1) {
      const message = messages[index] as Message;
      const withIds = rules?.callIdLength === undefined ? message : fitCallIds(message, rules.callIdLength);
      const fitted = fitMessage(withIds, rules, fromHistory);
      if (fitted === message && changed === undefined) continue;
      changed ??= messages.slice(0, index) as Message[];
      if (fitted !== undefined) changed.push(fitted);
    }
    if (changed !== undefined && changed.length > 0) body['messages'] = changed;
  }
  return { dropped, droppedFromHistory: [...fromHistory] };
}

function fitStop(body: JsonObject, limit: number | undefined, dropped: string[]): void {
  const { stop } = body;
  if (!Array.isArray(stop)) return;
  if (stop.length === 0) body['stop'] = undefined;
  if (limit === undefined || stop.length <= limit) return;
  const limited = limitStops(stop as string[], limit);
  body['stop'] = limited.stops;
  dropped.push(...limited.dropped);
}

function fitFields(body: JsonObject, { fields, refusedFields, renamed }: FieldRules, dropped: string[]): void {
  for (const name in body) {
    const value = body[name];
    if (value === undefined) continue;
    const otherName = renamed !== undefined && Object.hasOwn(renamed, name) ? renamed[name] : undefined;
    const isTaken = fields === undefined ? refusedFields?.has(name) !== true : fields.has(name);
    if (isTaken && otherName === undefined) continue;
    if (name === 'web_search_options' && isObject(value) && !hasTools(body)) throw unsupportedSearch();
    body[name] = undefined;
    if (otherName !== undefined) body[otherName] ??= value;
    else if (name !== 'stream_options' && !isIgnorable(name, value)) dropped.push(name);
  }
}

function hasTools({ tools, functions }: JsonObject): boolean {
  return [tools, functions].some((list) => Array.isArray(list) && list.length > 0);
}

/** @returns the message itself where nothing has to change, undefined where the server could not take what is left */
function fitMessage(message: Message, rules: FieldRules | undefined, fromHistory: Set<string>): Message | undefined {
  const { role } = message;
  let fitted = role === 'assistant' ? repairTurn(message) : fillContent(message);
  if (rules === undefined) return fitted;
  const taken = typeof role === 'string' ? rules.messageFields?.[role] : undefined;
  for (const name in fitted) {
    const isTaken = taken === undefined ? rules.refusedMessageFields?.has(name) !== true : taken.has(name);
    if (isTaken || fitted[name] === undefined) continue;
    if (fitted[name] !== null && !isIgnorableInHistory(name, fitted[name])) fromHistory.add(`messages[].${name}`);
    fitted = replaced(fitted, message, name, undefined);
  }
  if (role !== 'assistant') return fitted;
  fitted = fitToolCalls(fitted, message, rules.toolCallFields, fromHistory);
  if (taken !== undefined && !taken.has('refusal')) fitted = withTextForRefusals(fitted, message);
  return rules.refusesEmptyTurns === true && isEmptyTurn(fitted) ? undefined : fitted;
}

/**
 * An assistant's turn as any server takes it. `content` is null only beside calls; a refusal or annotations that say nothing
 * are left out; the words of a refusal become the content where there is no other.
 */
function repairTurn(message: Message): Message {
  let turn = message;
  if (turn['refusal'] === null) turn = replaced(turn, message, 'refusal', undefined);
  if (isEmptyList(turn['annotations']) || turn['annotations'] === null) {
    turn = replaced(turn, message, 'annotations', undefined);
  }
  const hasCalls = Array.isArray(turn['tool_calls']) && turn['tool_calls'].length > 0;
  if (turn['tool_calls'] !== undefined && !hasCalls) turn = replaced(turn, message, 'tool_calls', undefined);
  const { content } = turn;
  const isNone = content === undefined || content === null || isEmptyList(content);
  if (!isNone) return turn;
  const canBeNull = hasCalls || isObject(turn['function_call']) || isObject(turn['audio']);
  if (canBeNull) return content === null || content === undefined ? turn : replaced(turn, message, 'content', null);
  return replaced(turn, message, 'content', nonEmptyString(turn['refusal']) ?? '');
}

/** An empty list of parts is no text. */
function fillContent(message: Message): Message {
  return isEmptyList(message['content']) ? { ...message, content: '' } : message;
}

function fitToolCalls(
  turn: Message,
  original: Message,
  known: ReadonlySet<string> | undefined,
  fromHistory: Set<string>,
): Message {
  const calls = turn['tool_calls'];
  if (known === undefined || !Array.isArray(calls)) return turn;
  const isUnknown = (name: string): boolean => !known.has(name);
  if (!calls.some((call) => isObject(call) && Object.keys(call).some(isUnknown))) return turn;
  const fitted = calls.map((call: unknown) => {
    if (!isObject(call)) return call;
    for (const name of Object.keys(call).filter(isUnknown)) fromHistory.add(`messages[].tool_calls[].${name}`);
    return Object.fromEntries(Object.entries(call).filter(([name]) => known.has(name)));
  });
  return replaced(turn, original, 'tool_calls', fitted);
}

/** Parts of the type `refusal` are OpenAI's own. */
function withTextForRefusals(turn: Message, original: Message): Message {
  const { content } = turn;
  const isRefusal = (part: unknown): boolean => isObject(part) && part['type'] === 'refusal';
  if (!Array.isArray(content) || !content.some(isRefusal)) return turn;
  const parts = content.map((part: unknown) =>
    isObject(part) && isRefusal(part) ? { type: 'text', text: part['refusal'] } : part,
  );
  return replaced(turn, original, 'content', parts);
}

function isEmptyTurn(turn: Message): boolean {
  const { content } = turn;
  return (content === '' || content === null || content === undefined) && !Array.isArray(turn['tool_calls']);
}

/** An empty list or text says nothing. */
function isIgnorableInHistory(name: string, value: unknown): boolean {
  return value === '' || isEmptyList(value) || name === 'refusal';
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** Copies the message before its first change. */
function replaced(message: Message, original: Message, name: string, value: unknown): Message {
  if (message === original) return { ...message, [name]: value };
  (message as JsonObject)[name] = value;
  return message;
}
