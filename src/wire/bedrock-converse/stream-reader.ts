import { upstreamError } from '../../errors/gateway-error.js';
import type { BlockStart, CanonicalChunk } from '../../operations/chat/canonical/canonical-result.js';
import { nonEmptyString, objectOf, type JsonObject } from '../../runtime/json-value.js';
import { mapErrorObject } from '../errors/map-error.js';
import type { ReadContext, StreamReader, WireEvent } from '../wire-format.js';
import { readFinish, readRedacted, readSignatureText, readUsage } from './read-response.js';

/** The statuses of the failures that a stream reports in place of an event. */
const STATUSES: Readonly<Record<string, number>> = {
  throttlingexception: 429,
  serviceunavailableexception: 503,
  modeltimeoutexception: 504,
  validationexception: 400,
  internalserverexception: 500,
  modelstreamerrorexception: 500,
};

/** Events of ConverseStream. */
export class ConverseStreamReader implements StreamReader {
  isWhole = false;
  isDone = false;
  private next = 0;
  /** Canonical indices and kinds of the provider's blocks that are open, by their index there. */
  private readonly open = new Map<number, { readonly index: number; readonly type: BlockStart['type'] }>();
  private hasStarted = false;
  private hasCalls = false;

  constructor(private readonly context: ReadContext) {}

  read({ event, data }: WireEvent, out: CanonicalChunk[]): void {
    const body = parsed(data);
    if (/exception$/i.test(event)) {
      throw mapErrorObject(body, this.context.redact, STATUSES[event.toLowerCase()] ?? 500);
    }
    if (!this.hasStarted) {
      this.hasStarted = true;
      out.push({ type: 'start' });
    }
    const position = typeof body['contentBlockIndex'] === 'number' ? body['contentBlockIndex'] : 0;
    switch (event) {
      case 'contentBlockStart':
        this.startCall(position, objectOf(objectOf(body['start'])['toolUse']), out);
        break;
      case 'contentBlockDelta':
        this.delta(position, objectOf(body['delta']), out);
        break;
      case 'contentBlockStop':
        this.close(position, out);
        break;
      case 'messageStop':
        if (this.isWhole) break;
        for (const index of [...this.open.keys()]) this.close(index, out);
        out.push({ type: 'finish', choice: 0, reason: readFinish(body['stopReason'], this.hasCalls) });
        this.isWhole = true;
        break;
      case 'metadata': {
        const usage = readUsage(body['usage']);
        if (usage !== undefined) out.push({ type: 'usage', usage });
        this.isDone = this.isWhole;
        break;
      }
      default:
        break;
    }
  }

  end(out: CanonicalChunk[]): void {
    if (!this.isWhole) throw upstreamError({ message: 'The upstream provider ended the stream too early.' });
    out.push({ type: 'end' });
  }

  private startCall(position: number, call: JsonObject, out: CanonicalChunk[]): void {
    const name = nonEmptyString(call['name']);
    const id = nonEmptyString(call['toolUseId']);
    if (this.isWhole || (name === undefined && id === undefined)) return;
    if (this.context.toolNames?.get(name ?? '') === '') {
      this.begin(position, { type: 'text' }, out);
      return;
    }
    this.hasCalls = true;
    const known = this.context.toolNames?.get(name ?? '') ?? name ?? '';
    this.begin(position, { type: 'tool_call', id: id ?? '', name: known, kind: 'function' }, out);
  }

  private delta(position: number, delta: JsonObject, out: CanonicalChunk[]): void {
    if (this.isWhole) return;
    const reasoning = objectOf(delta['reasoningContent']);
    this.write(position, 'text', delta['text'], out);
    this.write(position, 'thinking', reasoning['text'], out);
    const input = nonEmptyString(objectOf(delta['toolUse'])['input']);
    const call = this.open.get(position);
    // Of a tool that only gives the response its form, the input is text.
    if (input !== undefined && call !== undefined) {
      out.push({ type: 'delta', choice: 0, index: call.index, text: input });
    }
    const signature = nonEmptyString(reasoning['signature']);
    if (signature !== undefined) {
      const index = this.indexOf(position, 'thinking', out);
      out.push({ type: 'signature', choice: 0, index, signature: readSignatureText(signature) });
    }
    const redacted = readRedacted(reasoning['redactedContent']);
    if (redacted !== undefined) {
      this.begin(position, { type: 'whole', block: redacted }, out);
      this.close(position, out);
    }
  }

  private write(position: number, type: 'text' | 'thinking', value: unknown, out: CanonicalChunk[]): void {
    const text = nonEmptyString(value);
    if (text === undefined) return;
    out.push({ type: 'delta', choice: 0, index: this.indexOf(position, type, out), text });
  }

  /** Blocks of text have no start of their own. */
  private indexOf(position: number, type: 'text' | 'thinking', out: CanonicalChunk[]): number {
    const block = this.open.get(position);
    return block?.type === type ? block.index : this.begin(position, { type }, out);
  }

  private begin(position: number, block: BlockStart, out: CanonicalChunk[]): number {
    this.close(position, out);
    const index = this.next;
    this.next += 1;
    this.open.set(position, { index, type: block.type });
    out.push({ type: 'block_start', choice: 0, index, block });
    return index;
  }

  private close(position: number, out: CanonicalChunk[]): void {
    const block = this.open.get(position);
    if (block === undefined) return;
    out.push({ type: 'block_end', choice: 0, index: block.index });
    this.open.delete(position);
  }
}

function parsed(data: string): JsonObject {
  try {
    return objectOf(JSON.parse(data));
  } catch (cause) {
    throw upstreamError({ message: 'The upstream provider sent an event that is not JSON.', cause });
  }
}
