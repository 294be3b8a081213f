import { upstreamError } from '../../errors/gateway-error.js';
import type { CanonicalChunk } from '../../operations/chat/canonical/canonical-result.js';
import { nonEmptyString, objectOf, type JsonObject } from '../../runtime/json-value.js';
import { mapErrorObject } from '../errors/map-error.js';
import { namelessCall } from '../nameless-call.js';
import { OpenBlocks } from '../open-blocks.js';
import type { ReadContext, StreamReader, WireEvent } from '../wire-format.js';
import { readCitations } from './citations.js';
import { readBilledUsage, readFinish, readRedacted, readSignatureText } from './read-response.js';

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
  private readonly blocks = new OpenBlocks();
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
        this.blocks.close(position, out);
        break;
      case 'messageStop':
        if (this.isWhole) break;
        this.blocks.closeAll(out);
        out.push({ type: 'finish', choice: 0, reason: readFinish(body['stopReason'], this.hasCalls) });
        this.isWhole = true;
        break;
      case 'metadata': {
        const usage = readBilledUsage(body);
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
    if (name === undefined) throw namelessCall();
    if (this.context.toolNames?.get(name) === '') {
      this.blocks.begin(position, { type: 'text' }, out);
      return;
    }
    this.hasCalls = true;
    const known = this.context.toolNames?.get(name) ?? name;
    this.blocks.begin(position, { type: 'tool_call', id: id ?? '', name: known, kind: 'function' }, out);
  }

  private delta(position: number, delta: JsonObject, out: CanonicalChunk[]): void {
    if (this.isWhole) return;
    const reasoning = objectOf(delta['reasoningContent']);
    this.blocks.write(position, 'text', nonEmptyString(delta['text']), out);
    this.blocks.write(position, 'thinking', nonEmptyString(reasoning['text']), out);
    const input = nonEmptyString(objectOf(delta['toolUse'])['input']);
    if (input !== undefined) {
      const call = this.blocks.at(position);
      // The name of the tool was in the start. Of a tool that only gives the response its form, the input is text.
      if (call === undefined) throw namelessCall();
      out.push({ type: 'delta', choice: 0, index: call.index, text: input });
    }
    const cited = delta['citation'] === undefined ? undefined : readCitations([delta['citation']]);
    if (cited !== undefined) {
      const index = this.blocks.indexOf(position, 'text', out);
      out.push({ type: 'block_extras', choice: 0, index, extras: cited });
    }
    const signature = nonEmptyString(reasoning['signature']);
    if (signature !== undefined) {
      const index = this.blocks.indexOf(position, 'thinking', out);
      out.push({ type: 'signature', choice: 0, index, signature: readSignatureText(signature) });
    }
    const redacted = readRedacted(reasoning['redactedContent']);
    if (redacted !== undefined) {
      this.blocks.begin(position, { type: 'whole', block: redacted }, out);
      this.blocks.close(position, out);
    }
  }
}

function parsed(data: string): JsonObject {
  try {
    return objectOf(JSON.parse(data));
  } catch (cause) {
    throw upstreamError({ message: 'The upstream provider sent an event that is not JSON.', cause });
  }
}
