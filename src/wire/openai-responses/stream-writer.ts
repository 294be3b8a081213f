import type { GatewayError } from '../../errors/gateway-error.js';
import type { Signature } from '../../operations/chat/canonical/blocks.js';
import type {
  BlockStart,
  CanonicalChunk,
  CanonicalUsage,
  FinishReason,
} from '../../operations/chat/canonical/canonical-result.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { encodeEvent } from '../sse/sse-encoder.js';
import type { StreamWriter, WriteContext } from '../wire-format.js';
import { CalledTools } from './called-tools.js';
import { failureOf } from './errors.js';
import { writeFinish } from './finish-reason.js';
import { compactionItem, outputItems } from './output-items.js';
import {
  CallItem,
  type CallStart,
  MessageItem,
  ReasoningItem,
  type Emit,
  type StreamedItem,
} from './streamed-items.js';
import { type NativePlace, ResponseIds, responseObject, type ResponseState } from './response-object.js';
import { isCompaction } from './write-response.js';

/** Ignored by every reader of events; an event of its own would be unknown to some. */
const PING = ': ping\n\n';

/**
 * Writes the events of a response as OpenAI sends them: `response.created`, `response.in_progress`, for each item its `added`, its
 * parts, deltas and `done`, and a last `response.completed`, `incomplete` or `failed` with the whole output.
 */
export class ResponsesStreamWriter implements StreamWriter {
  private readonly ids: ResponseIds;
  private readonly tools: CalledTools;
  private readonly isCompaction: boolean;
  private readonly output: (JsonObject | undefined)[] = [];
  /** Items by the index of the block that they hold. */
  private readonly open = new Map<number, StreamedItem>();
  private message: MessageItem | undefined;
  /** Kinds of blocks that were seen, of which the status depends. */
  private readonly seen: { type: string }[] = [];
  private frames = '';
  private sequence = 0;
  private hasBegun = false;
  private hasEnded = false;
  private nextIndex = 0;
  private finish: FinishReason | undefined;
  private usage: CanonicalUsage | undefined;
  private model: string | undefined;
  /** Text of a summary, which is sent as one item at the end. */
  private summary = '';
  private extras: JsonObject = {};
  /** The response of the last event; undefined before. */
  response: JsonObject | undefined;

  /** @param place where the provider's own events ended */
  constructor(
    private readonly context: WriteContext,
    place?: NativePlace,
  ) {
    this.ids = new ResponseIds(context, place);
    this.tools = new CalledTools(context.request);
    this.isCompaction = isCompaction(context);
  }

  write(chunks: readonly CanonicalChunk[]): string {
    chunks.forEach((chunk, index) => this.writeChunk(chunk, chunks, index));
    return this.take();
  }

  /** Numbers the next event, where others were sent before those that were written. */
  continueAt(sequence: number): void {
    this.sequence = sequence;
  }

  ping(): string {
    return PING;
  }

  end(): string {
    if (this.hasEnded) return '';
    this.begin();
    const { status, incomplete_details: incompleteDetails } = writeFinish(this.finish ?? 'stop', this.seen);
    for (const item of [...this.open.values()]) this.close(item, status);
    this.closeMessage(status);
    if (this.isCompaction) this.addWhole(compactionItem(this.ids.item('cmp', this.nextIndex), this.summary));
    this.finishWith(`response.${status}`, { status, incompleteDetails, output: this.finished(), usage: this.usage });
    return this.take();
  }

  error(error: GatewayError): string {
    if (this.hasEnded) return '';
    this.begin();
    for (const item of [...this.open.values()]) this.close(item, 'incomplete');
    this.closeMessage('incomplete');
    const state = { status: 'failed', error: failureOf(error), output: this.finished(), usage: this.usage } as const;
    this.finishWith('response.failed', state);
    return this.take();
  }

  private writeChunk(chunk: CanonicalChunk, chunks: readonly CanonicalChunk[], at: number): void {
    if ('choice' in chunk && chunk.choice !== 0) return;
    switch (chunk.type) {
      case 'start':
        this.model = chunk.model;
        this.begin();
        return;
      case 'usage':
        this.usage = chunk.usage;
        return;
      case 'extras':
        this.extras = { ...this.extras, ...chunk.extras['openai-responses'] };
        return;
      case 'finish':
        this.finish = chunk.reason;
        return;
      case 'block_start':
        this.begin();
        this.startBlock(chunk.index, chunk.block, signatureOf(chunk.index, chunks, at));
        return;
      case 'delta':
        if (this.isCompaction) {
          if (this.open.get(chunk.index)?.kind === 'message') this.summary += chunk.text;
        } else this.open.get(chunk.index)?.add(chunk.text, this.emit);
        return;
      case 'signature':
        this.open.get(chunk.index)?.sign(chunk.signature);
        return;
      case 'block_end': {
        const item = this.open.get(chunk.index);
        if (item !== undefined) this.endBlock(chunk.index, item);
        return;
      }
      default:
      // Citations, log probabilities and extras of other formats have no event here.
    }
  }

  private begin(): void {
    if (this.hasBegun) return;
    this.hasBegun = true;
    const response = this.object({ status: 'in_progress', output: [] });
    this.emit('response.created', { response });
    this.emit('response.in_progress', { response });
  }

  private startBlock(index: number, block: BlockStart, signature: Signature | undefined): void {
    if (block.type === 'whole') {
      this.seen.push({ type: block.block.type });
      if (this.isCompaction) return;
      if (block.block.type === 'thinking') this.closeMessage('completed');
      const [item] = outputItems([block.block], this.tools, this.ids, 'completed');
      if (item === undefined) return;
      this.closeMessage('completed');
      this.addWhole({ ...item, ...(!isOpaque(block) && { id: this.ids.item(prefixOf(item), this.nextIndex) }) });
      return;
    }
    this.seen.push({ type: block.type });
    if (block.type === 'text' || block.type === 'refusal') {
      this.message ??= new MessageItem(this.ids, this.nextIndex++);
      this.open.set(index, this.message);
      if (!this.isCompaction) this.message.startPart(block.type, this.emit);
      return;
    }
    this.closeMessage('completed');
    const item =
      block.type === 'tool_call' ? this.newCall(block, signature) : new ReasoningItem(this.ids, this.nextIndex++);
    this.open.set(index, item);
    if (!this.isCompaction) item.start(this.emit);
  }

  private newCall(block: CallStart, signature: Signature | undefined): StreamedItem {
    if (signature !== undefined && !this.isCompaction) this.addSignature(signature);
    const item = new CallItem(block, this.tools, this.ids, this.nextIndex++);
    if (signature !== undefined) item.sign(signature);
    return item;
  }

  private endBlock(index: number, item: StreamedItem): void {
    if (item === this.message) {
      if (!this.isCompaction) this.message.endPart(this.emit);
      this.open.delete(index);
      return;
    }
    this.close(item, 'completed');
  }

  /** Ends an item; a late signature of a call becomes an item behind it. */
  private close(item: StreamedItem, status: 'completed' | 'incomplete'): void {
    for (const [index, each] of this.open) if (each === item) this.open.delete(index);
    if (item === this.message) return;
    if (this.isCompaction) return;
    this.output[item.outputIndex] = item.finish(status, this.emit);
    if (item.lateSignature !== undefined) this.addSignature(item.lateSignature);
  }

  private closeMessage(status: 'completed' | 'incomplete'): void {
    const { message } = this;
    if (message === undefined) return;
    this.message = undefined;
    for (const [index, each] of this.open) if (each === message) this.open.delete(index);
    if (this.isCompaction) {
      this.nextIndex = 0;
      return;
    }
    message.endPart(this.emit);
    this.output[message.outputIndex] = message.finish(status, this.emit);
  }

  private addSignature(signature: Signature): void {
    const item = new ReasoningItem(this.ids, this.nextIndex++);
    item.sign(signature);
    item.start(this.emit);
    this.output[item.outputIndex] = item.finish('completed', this.emit);
  }

  private addWhole(item: JsonObject): void {
    const outputIndex = this.isCompaction ? 0 : this.nextIndex++;
    this.emit('response.output_item.added', { output_index: outputIndex, item });
    this.emit('response.output_item.done', { output_index: outputIndex, item });
    this.output[outputIndex] = item;
  }

  private finished(): JsonObject[] {
    return this.output.filter((item) => item !== undefined);
  }

  private finishWith(event: string, state: ResponseState): void {
    this.hasEnded = true;
    this.response = this.object(state);
    this.emit(event, { response: this.response });
  }

  private object(state: ResponseState): JsonObject {
    return responseObject(this.ids, this.context, { ...state, model: this.model, extras: this.extras });
  }

  private readonly emit: Emit = (type, members) => {
    const data = JSON.stringify({ type, ...members, sequence_number: this.sequence++ });
    this.frames += encodeEvent(type, data);
  };

  private take(): string {
    const { frames } = this;
    this.frames = '';
    return frames;
  }
}

/** A signature that comes with the beginning of its call can stand before the call. */
function signatureOf(index: number, chunks: readonly CanonicalChunk[], from: number): Signature | undefined {
  for (let at = from + 1; at < chunks.length; at += 1) {
    const chunk = chunks[at];
    if (chunk?.type === 'signature' && chunk.index === index && chunk.choice === 0) return chunk.signature;
    if (chunk?.type === 'block_start') return undefined;
  }
  return undefined;
}

function isOpaque({ block }: BlockStart & { type: 'whole' }): boolean {
  return block.type === 'opaque';
}

function prefixOf({ id }: JsonObject): string {
  return String(id).split('_', 1)[0] ?? 'item';
}
