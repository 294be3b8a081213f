import type { ToolCallDelta } from '../../operations/chat/chat-completion.js';
import { upstreamError } from '../../errors/gateway-error.js';
import { isObject, JsonObject, nonEmptyString } from '../../runtime/json-value.js';
import { namelessCall } from '../nameless-call.js';
import { newToolCallId } from './generated-ids.js';
import { argumentsText } from './normalise-completion.js';

interface OpenCall {
  /** Position among the choice's calls, in order of appearance. */
  readonly index: number;
  /** The index that the provider sent; undefined if it sends none. */
  readonly upstreamIndex: number | undefined;
  readonly upstreamId: string | undefined;
  /** Undefined until it has come. */
  name: string | undefined;
  /** Joined from all deltas so far. */
  text: string;
  /** Arguments and other fields that came before the name did; undefined once the call has been announced. */
  held: JsonObject | undefined;
}

/** The content of one delta, read once. */
interface Incoming {
  readonly delta: JsonObject;
  readonly called: JsonObject | undefined;
  readonly index: number | undefined;
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly text: string;
}

/**
 * The tool calls of one choice. Clients rely on an `index` in every delta, and on `id`, `type` and `name` in the first
 * delta of a call and in no other. Servers leave the index out (old Ollama, llama.cpp), give every call the index 0
 * (Gemini's compatible endpoint), repeat id and name in each delta, give each delta a new id, or send neither an id.
 */
export class ToolCallDeltas {
  private readonly calls: OpenCall[] = [];
  private readonly ids = new Set<string>();

  get isEmpty(): boolean {
    return this.calls.length === 0;
  }

  /** The deltas to send on; none where an upstream's delta had nothing new. */
  normalise(deltas: readonly unknown[]): ToolCallDelta[] {
    const normalised: ToolCallDelta[] = [];
    let touched: OpenCall | undefined;
    for (const delta of deltas) {
      if (!isObject(delta)) throw upstreamError({ message: 'The upstream provider sent a malformed tool call.' });
      const incoming = read(delta);
      let call = this.find(incoming);
      if (call !== undefined && isRepetition(call, incoming)) continue;
      // Two names in one event are two calls, even under one index and without ids.
      if (call !== undefined && call === touched && incoming.name !== undefined) call = undefined;
      let next: ToolCallDelta | undefined;
      if (call === undefined) {
        call = this.open(incoming);
        next = this.announce(call, incoming);
      } else {
        call.text += incoming.text;
        next = call.held === undefined ? goOn(call, incoming) : this.announce(call, incoming);
      }
      touched = call;
      if (next !== undefined) normalised.push(next);
    }
    return normalised;
  }

  /** @throws GatewayError when a call never got its name */
  finish(): void {
    if (this.calls.some(({ held }) => held !== undefined)) {
      throw namelessCall();
    }
  }

  private find(incoming: Incoming): OpenCall | undefined {
    const { index, id } = incoming;
    if (index !== undefined) {
      const open = this.calls.findLast(({ upstreamIndex }) => upstreamIndex === index);
      return open === undefined || isAnother(open, incoming) ? undefined : open;
    }
    const open = this.calls.findLast(({ upstreamId }) => id !== undefined && upstreamId === id) ?? this.calls.at(-1);
    return open === undefined || isAnother(open, incoming) ? undefined : open;
  }

  private open({ index, id, name, text }: Incoming): OpenCall {
    const call: OpenCall = { index: this.calls.length, upstreamIndex: index, upstreamId: id, name, text, held: {} };
    this.calls.push(call);
    return call;
  }

  /** The first delta of a call, once its name is known; until then it is held back. */
  private announce(call: OpenCall, { delta, called, name }: Incoming): ToolCallDelta | undefined {
    const { held = {} } = call;
    call.name ??= name;
    const heldFunction = isObject(held['function']) ? held['function'] : undefined;
    const first: JsonObject = { ...held, ...delta, id: nonEmptyString(held['id']) ?? delta['id'] };
    if (called !== undefined || heldFunction !== undefined) {
      const soFar = `${argumentsText(heldFunction?.['arguments']) ?? ''}${argumentsText(called?.['arguments']) ?? ''}`;
      first['function'] = { ...heldFunction, ...called, arguments: soFar };
    }
    const isNamed = name !== undefined || isObject(first['custom']);
    call.held = isNamed ? undefined : first;
    if (!isNamed) return undefined;
    return {
      ...first,
      index: call.index,
      id: this.uniqueId(nonEmptyString(first['id'])),
      type: (nonEmptyString(first['type']) ?? 'function') as 'function',
    };
  }

  /** Results name their call by its id, so no two calls may have the same one. */
  private uniqueId(given: string | undefined): string {
    const id = given === undefined || this.ids.has(given) ? newToolCallId() : given;
    this.ids.add(id);
    return id;
  }
}

/** Puts the arguments into the delta as text. */
function read(delta: JsonObject): Incoming {
  const called = isObject(delta['function']) ? delta['function'] : undefined;
  let text = '';
  if (called !== undefined && called['arguments'] !== undefined) {
    text = argumentsText(called['arguments']) ?? '';
    called['arguments'] = text;
  }
  const { index } = delta;
  return {
    delta,
    called,
    index: typeof index === 'number' ? index : undefined,
    id: nonEmptyString(delta['id']),
    name: nonEmptyString(called?.['name']),
    text,
  };
}

/** Whether a delta opens another call than the one that its index, its id or its place points to. Only a name opens one. */
function isAnother(open: OpenCall, { id, name, text }: Incoming): boolean {
  if (name === undefined || open.name === undefined) return false;
  if (name !== open.name) return true;
  const hasOtherId = id !== undefined && open.upstreamId !== undefined && id !== open.upstreamId;
  // The name is repeated in the middle of the arguments by servers that repeat it in every delta, some with a new id each.
  if (open.text === '') return hasOtherId;
  if (!isJsonObject(open.text)) return false;
  const hasSameId = id !== undefined && id === open.upstreamId;
  return hasOtherId || (text.trimStart().startsWith('{') && !(hasSameId && text === open.text));
}

/** A last delta that repeats a whole call. */
function isRepetition(open: OpenCall, { id, text }: Incoming): boolean {
  return text !== '' && id !== undefined && id === open.upstreamId && text === open.text && isJsonObject(text);
}

function isJsonObject(text: string): boolean {
  if (!text.trimEnd().endsWith('}')) return false;
  try {
    return isObject(JSON.parse(text));
  } catch {
    return false;
  }
}

/** A later delta of a call, changed in place; undefined when it only repeats what is known. */
function goOn(call: OpenCall, { delta, called }: Incoming): ToolCallDelta | undefined {
  // Set rather than deleted: a deletion makes V8's objects slow, and JSON leaves undefined out.
  if (delta['id'] !== undefined) delta['id'] = undefined;
  if (delta['type'] !== undefined) delta['type'] = undefined;
  if (called !== undefined) {
    if (called['name'] !== undefined) called['name'] = undefined;
    if (!saysAnything(called)) delta['function'] = undefined;
  }
  delta['index'] = undefined;
  return saysAnything(delta) ? Object.assign(delta, { index: call.index }) : undefined;
}

function saysAnything(object: JsonObject): boolean {
  for (const field in object) {
    if (object[field] != null && object[field] !== '') return true;
  }
  return false;
}
