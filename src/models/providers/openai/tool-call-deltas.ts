import type { ToolCallDelta } from '../../../chat/chat-completion.js';
import { upstreamError } from '../../../errors/gateway-error.js';
import { isObject, JsonObject, nonEmptyString } from '../../../json/json-value.js';
import { newToolCallId } from './made-up-ids.js';
import { argumentsText } from './normalise-completion.js';

interface OpenCall {
  /** Position among the choice's calls, in order of appearance. */
  readonly index: number;
  /** What the upstream called it; undefined when it gives no indices. */
  readonly upstreamIndex: number | undefined;
  readonly upstreamId: string | undefined;
  /** Arguments and other fields that came before the name did; undefined once the call has been announced. */
  held: JsonObject | undefined;
}

/**
 * The tool calls of one choice. Clients rely on an `index` in every delta, and on `id`, `type` and `name` in the first
 * delta of a call and in no other. Servers leave the index out (old Ollama, llama.cpp), give every call the index 0
 * (Gemini's compatible endpoint), repeat id and name in each delta, or send neither an id.
 */
export class ToolCallDeltas {
  private readonly calls: OpenCall[] = [];

  /** The deltas to send on; none where an upstream's delta said nothing new. */
  normalise(deltas: readonly unknown[]): ToolCallDelta[] {
    const normalised: ToolCallDelta[] = [];
    let touched: OpenCall | undefined;
    for (const delta of deltas) {
      if (!isObject(delta)) throw upstreamError({ message: 'The upstream provider sent a malformed tool call.' });
      const called = isObject(delta['function']) ? delta['function'] : undefined;
      if (called !== undefined && called['arguments'] !== undefined) {
        called['arguments'] = argumentsText(called['arguments']) ?? '';
      }
      let call = this.find(delta, called);
      // Two names in one event are two calls, even under one index and without ids.
      if (call !== undefined && call === touched && nonEmptyString(called?.['name']) !== undefined) call = undefined;
      let next: ToolCallDelta | undefined;
      if (call === undefined) {
        call = this.open(delta);
        next = announce(call, delta, called);
      } else {
        next = call.held === undefined ? goOn(call, delta, called) : announce(call, delta, called);
      }
      touched = call;
      if (next !== undefined) normalised.push(next);
    }
    return normalised;
  }

  /** @throws GatewayError when a call never got its name */
  finish(): void {
    if (this.calls.some(({ held }) => held !== undefined)) {
      throw upstreamError({ message: 'The upstream provider sent a tool call without a name.' });
    }
  }

  private find(delta: JsonObject, called: JsonObject | undefined): OpenCall | undefined {
    const { index } = delta;
    const id = nonEmptyString(delta['id']);
    const name = nonEmptyString(called?.['name']);
    if (typeof index === 'number') {
      const open = this.calls.findLast(({ upstreamIndex }) => upstreamIndex === index);
      const isAnother =
        name !== undefined && id !== undefined && open?.upstreamId !== undefined && id !== open.upstreamId;
      return isAnother ? undefined : open;
    }
    if (id !== undefined) {
      const open = this.calls.find(({ upstreamId }) => upstreamId === id);
      // An id that comes for the first time, with a name, opens a call.
      return open ?? (name === undefined ? this.calls.at(-1) : undefined);
    }
    const last = this.calls.at(-1);
    return name !== undefined && last?.held === undefined ? undefined : last;
  }

  private open(delta: JsonObject): OpenCall {
    const { index } = delta;
    const call: OpenCall = {
      index: this.calls.length,
      upstreamIndex: typeof index === 'number' ? index : undefined,
      upstreamId: nonEmptyString(delta['id']),
      held: {},
    };
    this.calls.push(call);
    return call;
  }
}

/** The first delta of a call, once its name is known; until then it is held back. */
function announce(call: OpenCall, delta: JsonObject, called: JsonObject | undefined): ToolCallDelta | undefined {
  const { held = {} } = call;
  const heldFunction = isObject(held['function']) ? held['function'] : undefined;
  const first: JsonObject = { ...held, ...delta, id: nonEmptyString(held['id']) ?? delta['id'] };
  if (called !== undefined || heldFunction !== undefined) {
    const soFar = `${argumentsText(heldFunction?.['arguments']) ?? ''}${argumentsText(called?.['arguments']) ?? ''}`;
    first['function'] = { ...heldFunction, ...called, arguments: soFar };
  }
  const named = nonEmptyString(called?.['name']) !== undefined || isObject(first['custom']);
  call.held = named ? undefined : first;
  if (!named) return undefined;
  return {
    ...first,
    index: call.index,
    id: nonEmptyString(first['id']) ?? newToolCallId(),
    type: (nonEmptyString(first['type']) ?? 'function') as 'function',
  };
}

/** A later delta of a call, changed in place; undefined when it only repeats what is known. */
function goOn(call: OpenCall, delta: JsonObject, called: JsonObject | undefined): ToolCallDelta | undefined {
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
