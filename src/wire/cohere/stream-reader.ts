import { upstreamError } from '../../errors/gateway-error.js';
import type { BlockStart, CanonicalChunk } from '../../operations/chat/canonical/canonical-result.js';
import { isObject, objectOf, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { mapErrorObject } from '../errors/map-error.js';
import type { ReadContext, StreamReader, WireEvent } from '../wire-format.js';
import { readFinish, readUsage } from './read-response.js';

/** Events of a streamed chat, https://docs.cohere.com/v2/docs/streaming. */
export class CohereStreamReader implements StreamReader {
  isWhole = false;
  isDone = false;
  private next = 0;
  private open: { readonly index: number; readonly type: BlockStart['type'] } | undefined;
  private hasStarted = false;
  private hasCalls = false;

  constructor(private readonly context: ReadContext) {}

  read({ data }: WireEvent, out: CanonicalChunk[]): void {
    const event = parsed(data);
    if (event === undefined) return;
    const delta: JsonObject = objectOf(event['delta']);
    const message: JsonObject = objectOf(delta['message']);
    const content: JsonObject = objectOf(message['content']);
    this.start(event, out);
    switch (event['type']) {
      case 'content-start':
      case 'content-delta':
        this.write('thinking', content['thinking'], out);
        this.write('text', content['text'], out);
        break;
      case 'tool-plan-delta':
        this.write('thinking', message['tool_plan'], out);
        break;
      case 'tool-call-start':
      case 'tool-call-delta':
        this.call(event['type'] === 'tool-call-start', message['tool_calls'], out);
        break;
      case 'content-end':
      case 'tool-call-end':
        this.close(out);
        break;
      case 'message-end':
        this.finish(delta, out);
        break;
      case 'error':
      case undefined:
        if (typeof event['message'] === 'string') throw mapErrorObject(event, this.context.redact);
        break;
      default:
        break;
    }
  }

  end(out: CanonicalChunk[]): void {
    if (!this.isWhole) throw upstreamError({ message: 'The upstream provider ended the stream too early.' });
    out.push({ type: 'end' });
  }

  private start(event: JsonObject, out: CanonicalChunk[]): void {
    if (this.hasStarted) return;
    this.hasStarted = true;
    const id = nonEmptyString(event['id']);
    out.push({ type: 'start', ...(id !== undefined && { id }) });
  }

  private write(type: 'text' | 'thinking', value: unknown, out: CanonicalChunk[]): void {
    const text = nonEmptyString(value);
    if (text === undefined) return;
    const index = this.open?.type === type ? this.open.index : this.begin({ type }, out);
    out.push({ type: 'delta', choice: 0, index, text });
  }

  private call(isStart: boolean, value: unknown, out: CanonicalChunk[]): void {
    const call: JsonObject = objectOf(value);
    const called: JsonObject = objectOf(call['function']);
    const isOpen = this.open?.type === 'tool_call';
    if (isStart || !isOpen) {
      const name = nonEmptyString(called['name']) ?? '';
      this.hasCalls = true;
      const id = nonEmptyString(call['id']) ?? '';
      this.begin({ type: 'tool_call', id, name: this.context.toolNames?.get(name) ?? name, kind: 'function' }, out);
    }
    const text = nonEmptyString(called['arguments']);
    if (text !== undefined) out.push({ type: 'delta', choice: 0, index: this.open?.index ?? 0, text });
  }

  private begin(block: BlockStart, out: CanonicalChunk[]): number {
    this.close(out);
    const index = this.next;
    this.next += 1;
    this.open = { index, type: block.type };
    out.push({ type: 'block_start', choice: 0, index, block });
    return index;
  }

  private close(out: CanonicalChunk[]): void {
    if (this.open === undefined) return;
    out.push({ type: 'block_end', choice: 0, index: this.open.index });
    this.open = undefined;
  }

  private finish(delta: JsonObject, out: CanonicalChunk[]): void {
    if (this.isWhole) return;
    this.close(out);
    out.push({ type: 'finish', choice: 0, reason: readFinish(delta['finish_reason'], this.hasCalls) });
    const usage = readUsage(delta['usage']);
    if (usage !== undefined) out.push({ type: 'usage', usage });
    this.isWhole = true;
    this.isDone = true;
  }
}

function parsed(data: string): JsonObject | undefined {
  if (data === '[DONE]') return undefined;
  try {
    const event: unknown = JSON.parse(data);
    return isObject(event) ? event : undefined;
  } catch (cause) {
    throw upstreamError({ message: 'The upstream provider sent an event that is not JSON.', cause });
  }
}
