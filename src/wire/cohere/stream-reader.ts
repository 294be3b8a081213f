import { upstreamError } from '../../errors/gateway-error.js';
import type { CanonicalChunk } from '../../operations/chat/canonical/canonical-result.js';
import { isObject, objectOf, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { mapErrorObject } from '../errors/map-error.js';
import { namelessCall } from '../nameless-call.js';
import { OpenBlocks } from '../open-blocks.js';
import type { ReadContext, StreamReader, WireEvent } from '../wire-format.js';
import { isFailure, readFinish, readUsage } from './read-response.js';

/** Blocks follow each other, so that there is one place for them. */
const ONLY = 0;

/** Events of a streamed chat, https://docs.cohere.com/v2/docs/streaming. */
export class CohereStreamReader implements StreamReader {
  isWhole = false;
  isDone = false;
  private readonly blocks = new OpenBlocks();
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
        this.blocks.write(ONLY, 'thinking', nonEmptyString(content['thinking']), out);
        this.blocks.write(ONLY, 'text', nonEmptyString(content['text']), out);
        break;
      case 'tool-plan-delta':
        this.blocks.write(ONLY, 'thinking', nonEmptyString(message['tool_plan']), out);
        break;
      case 'tool-call-start':
      case 'tool-call-delta':
        this.call(event['type'] === 'tool-call-start', message['tool_calls'], out);
        break;
      case 'content-end':
      case 'tool-call-end':
        this.blocks.close(ONLY, out);
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

  private call(isStart: boolean, value: unknown, out: CanonicalChunk[]): void {
    const call: JsonObject = objectOf(value);
    const called: JsonObject = objectOf(call['function']);
    const isOpen = this.blocks.at(ONLY)?.type === 'tool_call';
    if (isStart || !isOpen) {
      const name = nonEmptyString(called['name']);
      if (name === undefined) throw namelessCall();
      this.hasCalls = true;
      const id = nonEmptyString(call['id']) ?? '';
      const known = this.context.toolNames?.get(name) ?? name;
      this.blocks.begin(ONLY, { type: 'tool_call', id, name: known, kind: 'function' }, out);
    }
    const text = nonEmptyString(called['arguments']);
    if (text !== undefined) out.push({ type: 'delta', choice: 0, index: this.blocks.at(ONLY)?.index ?? 0, text });
  }

  private finish(delta: JsonObject, out: CanonicalChunk[]): void {
    if (this.isWhole) return;
    const reason = delta['finish_reason'];
    const words = nonEmptyString(delta['error']);
    if (words !== undefined && isFailure(reason)) throw mapErrorObject({ message: words }, this.context.redact);
    this.blocks.close(ONLY, out);
    out.push({ type: 'finish', choice: 0, reason: readFinish(reason, this.hasCalls) });
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
