import type { BlockStart, CanonicalChunk } from '../../operations/chat/canonical/canonical-result.js';
import { upstreamError } from '../../errors/gateway-error.js';
import { asNumber } from '../../runtime/exact-integers.js';
import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { parseWithExactArguments } from '../exact-arguments.js';
import { namelessCall } from '../nameless-call.js';
import type { ReadContext, StreamReader, WireEvent } from '../wire-format.js';
import { readReportedError } from './errors.js';
import { readStopReason } from './finish-reason.js';
import { OpenBlock } from './open-block.js';
import { readExtras } from './read-block.js';
import { readContentBlock } from './read-response.js';
import { mergeUsage, readUsage } from './usage.js';

const MESSAGE_READ = new Set(['id', 'type', 'role', 'model', 'content', 'stop_reason', 'stop_sequence', 'usage']);
const DELTA_READ = new Set(['type', 'delta', 'usage']);

/** Reads the events of one message. Tolerates what is unknown, repeated, missing or late, as far as the response is still whole. */
export class AnthropicStreamReader implements StreamReader {
  isDone = false;
  private hasBegun = false;
  private nextIndex = 0;
  private hasToolCalls = false;
  private stopReason: string | undefined;
  private stopSequence: string | undefined;
  private usage: JsonObject = {};
  /** Blocks in progress, by the provider's index. */
  private readonly open = new Map<number, OpenBlock>();
  private readonly ended = new Set<number>();

  private readonly allocate = (): number => {
    this.nextIndex += 1;
    return this.nextIndex - 1;
  };

  constructor(private readonly context: ReadContext) {}

  /** The message says how it ended, or that it has. */
  get isWhole(): boolean {
    return this.isDone || this.stopReason !== undefined;
  }

  read({ event, data }: WireEvent, out: CanonicalChunk[]): void {
    if (this.isDone || data === '' || data === '[DONE]') return;
    const parsed = parseEvent(data);
    if (!isObject(parsed)) return;
    const type = nonEmptyString(parsed['type']) ?? event;
    switch (type) {
      case 'message_start':
        this.start(parsed['message'], out);
        return;
      case 'content_block_start':
        this.startBlock(parsed, out);
        return;
      case 'content_block_delta':
        this.delta(parsed, out);
        return;
      case 'content_block_stop':
        this.stopBlock(this.indexOf(parsed), out);
        return;
      case 'message_delta':
        this.messageDelta(parsed, out);
        return;
      case 'message_stop':
        this.isDone = true;
        return;
      case 'ping':
        out.push({ type: 'ping' });
        return;
      case 'error':
        throw readReportedError(parsed, this.context.redact);
      default:
        // Anthropic adds events, and says that clients must ignore what they do not know.
        if (isObject(parsed['error'])) throw readReportedError(parsed, this.context.redact);
    }
  }

  end(out: CanonicalChunk[]): void {
    if (!this.isWhole) {
      throw upstreamError({ message: 'The upstream provider ended its stream before the answer was whole.' });
    }
    for (const index of [...this.open.keys()]) this.stopBlock(index, out);
    if (!this.hasBegun || (this.nextIndex === 0 && this.stopReason === undefined)) {
      throw upstreamError({ message: 'The upstream provider answered with neither content nor a finish reason.' });
    }
    const reason = readStopReason(this.stopReason, this.hasToolCalls);
    const sequence = this.stopSequence === undefined ? {} : { stopSequence: this.stopSequence };
    out.push({ type: 'finish', choice: 0, reason, ...sequence }, { type: 'end' });
  }

  private begin(message: JsonObject, out: CanonicalChunk[]): void {
    if (this.hasBegun) return;
    this.hasBegun = true;
    const id = nonEmptyString(message['id']);
    const model = nonEmptyString(message['model']) ?? this.context.upstreamModel;
    out.push({ type: 'start', ...(id !== undefined && { id }), model });
  }

  private start(message: unknown, out: CanonicalChunk[]): void {
    if (this.hasBegun || !isObject(message)) return;
    this.begin(message, out);
    const extras = readExtras(message, MESSAGE_READ);
    if (extras !== undefined) out.push({ type: 'extras', extras });
    this.takeUsage(message['usage'], out);
    this.takeStop(message);
    // Compatible servers send blocks within the first event.
    const { content } = message;
    if (!Array.isArray(content)) return;
    content.forEach((block: unknown, index) => {
      this.startBlock({ index, content_block: block }, out);
      this.stopBlock(index, out);
    });
  }

  private startBlock(event: JsonObject, out: CanonicalChunk[]): void {
    const value = event['content_block'];
    const index = asNumber(event['index']) ?? this.freeIndex();
    // A repeated start of a block that is in progress, or has been.
    if (this.open.has(index) || this.ended.has(index)) return;
    const block = readContentBlock(value, this.context);
    if (block === undefined || !isObject(value)) return;
    this.begin({}, out);
    if (block.type === 'tool_call') this.hasToolCalls = true;
    this.openBlock(index, new OpenBlock(this.allocate, block, value), out);
  }

  private openBlock(index: number, opened: OpenBlock, out: CanonicalChunk[]): void {
    for (const [other, block] of [...this.open]) if (!block.mayStayOpen) this.stopBlock(other, out);
    this.open.set(index, opened);
    opened.begin(out);
  }

  private delta(event: JsonObject, out: CanonicalChunk[]): void {
    const { delta } = event;
    if (!isObject(delta)) return;
    const index = this.indexOf(event);
    // Text that can no longer be put in its place is not left out in silence.
    if (this.ended.has(index))
      throw upstreamError({ message: 'The upstream provider sent a delta of a block that has ended.' });
    let block = this.open.get(index);
    if (block === undefined) {
      const start = impliedStart(delta);
      if (start === undefined) return;
      this.begin({}, out);
      block = new OpenBlock(this.allocate, { ...start, text: '' }, {});
      this.openBlock(index, block, out);
    }
    block.delta(delta, out);
  }

  private stopBlock(index: number, out: CanonicalChunk[]): void {
    const block = this.open.get(index);
    if (block === undefined) return;
    this.open.delete(index);
    this.ended.add(index);
    block.end(out);
  }

  private messageDelta(event: JsonObject, out: CanonicalChunk[]): void {
    this.begin({}, out);
    if (isObject(event['delta'])) {
      this.takeStop(event['delta']);
      const details = readExtras(event['delta'], new Set(['stop_reason', 'stop_sequence']));
      if (details !== undefined) out.push({ type: 'extras', extras: details });
    }
    const extras = readExtras(event, DELTA_READ);
    if (extras !== undefined) out.push({ type: 'extras', extras });
    this.takeUsage(event['usage'], out);
  }

  private takeStop(carrier: JsonObject): void {
    this.stopReason = nonEmptyString(carrier['stop_reason']) ?? this.stopReason;
    this.stopSequence = nonEmptyString(carrier['stop_sequence']) ?? this.stopSequence;
  }

  private takeUsage(value: unknown, out: CanonicalChunk[]): void {
    if (!isObject(value)) return;
    this.usage = mergeUsage(this.usage, value);
    const usage = readUsage(this.usage);
    if (usage !== undefined) out.push({ type: 'usage', usage });
  }

  /** The block that an event is about; without an index it is the one in progress. */
  private indexOf(event: JsonObject): number {
    return asNumber(event['index']) ?? [...this.open.keys()].at(-1) ?? this.freeIndex();
  }

  private freeIndex(): number {
    return Math.max(-1, ...this.open.keys(), ...this.ended) + 1;
  }
}

function parseEvent(data: string): unknown {
  try {
    return parseWithExactArguments(data);
  } catch {
    throw upstreamError({ message: 'The upstream provider sent an event that is no JSON.' });
  }
}

/** The block that a delta belongs to where its start is missing. */
function impliedStart(delta: JsonObject): (BlockStart & { readonly type: 'text' | 'thinking' }) | undefined {
  switch (delta['type']) {
    case 'text_delta':
      return { type: 'text' };
    case 'thinking_delta':
      return { type: 'thinking' };
    case 'input_json_delta':
      // The name of the tool was in the start.
      throw namelessCall();
    default:
      return undefined;
  }
}
