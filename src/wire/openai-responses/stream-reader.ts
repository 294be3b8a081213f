import { upstreamError } from '../../errors/gateway-error.js';
import type { CanonicalChunk } from '../../operations/chat/canonical/canonical-result.js';
import { asNumber } from '../../runtime/exact-integers.js';
import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { mapErrorObject } from '../errors/map-error.js';
import type { ReadContext, StreamReader, WireEvent } from '../wire-format.js';
import { readFinish } from './finish-reason.js';
import { ItemReader } from './item-reader.js';
import { failure, headOf, statusOf, tierOf } from './read-response.js';
import { RESPONSES } from './item-extras.js';
import { readBilledUsage } from './usage.js';

/** Events whose text belongs to one part of an item, and what they do with it. */
const TEXT_EVENT =
  /^response\.(output_text|refusal|reasoning_text|reasoning_summary_text|reasoning_summary|function_call_arguments|custom_tool_call_input)\.(delta|done)$/;
const MEMBERS: Readonly<Record<string, string>> = {
  output_text: 'text',
  refusal: 'refusal',
  reasoning_text: 'text',
  reasoning_summary_text: 'text',
  reasoning_summary: 'text',
  function_call_arguments: 'arguments',
  custom_tool_call_input: 'input',
};

/**
 * Reads the events of a response. What an event leaves out is taken from a later one that has it: texts are sent in deltas, whole
 * in `done`, in the item, and in the last event, and where two of them contradict each other the stream is broken.
 */
export class ResponsesStreamReader implements StreamReader {
  isWhole = false;
  isDone = false;
  private hasStarted = false;
  private readonly items = new Map<number, ItemReader>();
  private current: ItemReader | undefined;
  /** Blocks of the response are numbered across its items. */
  private blocks = 0;
  private readonly next = (): number => this.blocks++;

  constructor(private readonly context: ReadContext) {}

  read({ event, data }: WireEvent, out: CanonicalChunk[]): void {
    if (this.isDone || data.trim() === '') return;
    if (data.trim() === '[DONE]') {
      this.isDone = this.isWhole;
      return;
    }
    const body = parse(data);
    if (body === undefined) return;
    const type = nonEmptyString(body['type']) ?? event;
    if (type === 'error' || (isObject(body['error']) && !type.startsWith('response.'))) throw this.errorOf(body);
    if (this.isWhole) return;
    const response = isObject(body['response']) ? body['response'] : undefined;
    switch (type) {
      case 'response.created':
      case 'response.in_progress':
      case 'response.queued':
        this.start(response ?? {}, out);
        return;
      case 'response.output_item.added':
        this.itemOf(body, out).begin(body['item'], out);
        return;
      case 'response.output_item.done':
        this.itemOf(body, out).finish(body['item'], out);
        return;
      case 'response.content_part.added':
        this.itemOf(body, out).beginPart(body, out);
        return;
      case 'response.output_text.annotation.added':
        this.itemOf(body, out).annotate(body, out);
        return;
      case 'response.completed':
      case 'response.incomplete':
      case 'response.done':
        this.finish(response ?? {}, type === 'response.incomplete', out);
        return;
      case 'response.failed':
      case 'response.cancelled':
        throw failure(response ?? body, this.context);
      default:
        this.readText(type, body, out);
    }
  }

  end(out: CanonicalChunk[]): void {
    if (!this.isWhole) {
      throw upstreamError({ message: 'The upstream provider ended its stream before the response was complete.' });
    }
    out.push({ type: 'end' });
  }

  private readText(type: string, body: JsonObject, out: CanonicalChunk[]): void {
    const [, kind, step] = TEXT_EVENT.exec(type) ?? [];
    if (kind === undefined) return;
    const text = step === 'delta' ? body['delta'] : body[MEMBERS[kind] ?? 'text'];
    if (typeof text !== 'string') return;
    const item = this.itemOf(body, out);
    if (step === 'delta') item.add(kind, body, text, out);
    else item.complete(kind, body, text, out);
  }

  private start(response: JsonObject, out: CanonicalChunk[]): void {
    if (this.hasStarted) return;
    this.hasStarted = true;
    out.push({ type: 'start', ...headOf(response) });
  }

  private itemOf(body: JsonObject, out: CanonicalChunk[]): ItemReader {
    this.start({}, out);
    const index = asNumber(body['output_index']) ?? this.indexOf(body);
    let item = this.items.get(index);
    if (item === undefined) {
      item = new ItemReader(this.next, this.context.toolNames);
      this.items.set(index, item);
    }
    item.id ??= nonEmptyString(body['item_id']);
    // Text and thinking do not interleave: what begins ends what was open.
    if (this.current !== item) this.current?.closeTexts(out);
    this.current = item;
    return item;
  }

  /** Of an event that does not say its place: the item with its id, else the last. */
  private indexOf(body: JsonObject): number {
    const id = body['item_id'] ?? (isObject(body['item']) ? body['item']['id'] : undefined);
    for (const [index, item] of this.items) if (id !== undefined && item.id === id) return index;
    return id === undefined && !isObject(body['item']) ? Math.max(0, this.items.size - 1) : this.items.size;
  }

  /** The place of an item of the whole output, which may leave out others. Servers that change ids keep the places. */
  private placeOf({ id }: JsonObject, position: number): number {
    if (id === undefined) return position;
    for (const [index, item] of this.items) if (item.id === id) return index;
    return position;
  }

  private finish(response: JsonObject, isIncomplete: boolean, out: CanonicalChunk[]): void {
    this.start(response, out);
    const { output } = response;
    if (Array.isArray(output) && output.length > 0) {
      const listed = new Map<ItemReader, JsonObject>();
      output.forEach((item: unknown, position) => {
        if (!isObject(item)) return;
        const reader = this.itemOf({ output_index: this.placeOf(item, position) }, out);
        listed.set(reader, item);
        reader.finish(item, out);
      });
      for (const item of this.items.values()) item.assertIn(listed.get(item));
    }
    const seen: { type: string }[] = [];
    for (const item of this.items.values()) {
      item.assertWhole();
      item.close(out);
      seen.push(...item.kinds);
    }
    const usage = readBilledUsage(response);
    const reason = readFinish(isIncomplete ? { status: 'incomplete', ...response } : response, seen);
    const { serviceTier } = tierOf(response);
    if (serviceTier !== undefined) {
      out.push({ type: 'extras', extras: { [RESPONSES]: { service_tier: serviceTier } } });
    }
    out.push({ type: 'finish', choice: 0, reason });
    if (usage !== undefined) out.push({ type: 'usage', usage });
    this.isWhole = true;
  }

  private errorOf(body: JsonObject): Error {
    const error = isObject(body['error']) ? body['error'] : { ...body, type: undefined };
    return mapErrorObject({ error }, this.context.redact, statusOf(error));
  }
}

function parse(data: string): JsonObject | undefined {
  try {
    const body: unknown = JSON.parse(data);
    return isObject(body) ? body : undefined;
  } catch {
    throw upstreamError({ message: 'The upstream provider sent an event that is no JSON.' });
  }
}
