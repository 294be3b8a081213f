import type { Signature } from '../../operations/chat/canonical/blocks.js';
import type { BlockStart } from '../../operations/chat/canonical/canonical-result.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { callItem, isPassedOn, itemPrefix, writtenInput, type CalledTool, type CalledTools } from './called-tools.js';
import { messageItem, reasoningItem } from './output-items.js';
import type { ResponseIds } from './response-object.js';

/** Appends an event to the stream. */
export type Emit = (type: string, members: JsonObject) => void;

export type CallStart = Extract<BlockStart, { type: 'tool_call' }>;

type ItemStatus = 'completed' | 'incomplete';

/** An item of the output while it is being written. */
export interface StreamedItem {
  readonly kind: 'message' | 'reasoning' | 'call';
  readonly outputIndex: number;
  /** A signature that came after the item had begun, and that has no place in it. */
  readonly lateSignature: Signature | undefined;
  start(emit: Emit): void;
  add(text: string, emit: Emit): void;
  sign(signature: Signature): void;
  /** @returns the item as it stands in the output */
  finish(status: ItemStatus, emit: Emit): JsonObject;
}

interface Part {
  readonly type: 'text' | 'refusal';
  text: string;
}

/** A message, whose parts come one after the other. */
export class MessageItem implements StreamedItem {
  readonly kind = 'message';
  readonly lateSignature = undefined;
  private readonly id: string;
  private readonly parts: Part[] = [];
  private part: Part | undefined;
  private hasStarted = false;

  constructor(
    ids: ResponseIds,
    readonly outputIndex: number,
  ) {
    this.id = ids.item('msg', outputIndex);
  }

  start(emit: Emit): void {
    if (this.hasStarted) return;
    this.hasStarted = true;
    emit('response.output_item.added', {
      output_index: this.outputIndex,
      item: messageItem(this.id, 'in_progress', []),
    });
  }

  startPart(type: 'text' | 'refusal', emit: Emit): void {
    this.start(emit);
    this.endPart(emit);
    this.part = { type, text: '' };
    this.parts.push(this.part);
    emit('response.content_part.added', { ...this.place(), part: written(this.part) });
  }

  add(text: string, emit: Emit): void {
    if (this.part === undefined || text === '') return;
    this.part.text += text;
    if (this.part.type === 'text') {
      emit('response.output_text.delta', { ...this.place(), delta: text, logprobs: [] });
    } else emit('response.refusal.delta', { ...this.place(), delta: text });
  }

  sign(): void {
    // Signatures of text have no place in this format.
  }

  endPart(emit: Emit): void {
    const { part } = this;
    if (part === undefined) return;
    if (part.type === 'text') emit('response.output_text.done', { ...this.place(), text: part.text, logprobs: [] });
    else emit('response.refusal.done', { ...this.place(), refusal: part.text });
    emit('response.content_part.done', { ...this.place(), part: written(part) });
    this.part = undefined;
  }

  finish(status: ItemStatus, emit: Emit): JsonObject {
    const item = messageItem(this.id, status, this.parts.map(written));
    emit('response.output_item.done', { output_index: this.outputIndex, item });
    return item;
  }

  private place(): JsonObject {
    return { item_id: this.id, output_index: this.outputIndex, content_index: this.parts.length - 1 };
  }
}

function written({ type, text }: Part): JsonObject {
  return type === 'text'
    ? { type: 'output_text', annotations: [], logprobs: [], text }
    : { type: 'refusal', refusal: text };
}

/** Thinking as one part of a summary. */
export class ReasoningItem implements StreamedItem {
  readonly kind = 'reasoning';
  readonly lateSignature = undefined;
  private readonly id: string;
  private text = '';
  private hasPart = false;
  private signature: Signature | undefined;

  constructor(
    ids: ResponseIds,
    readonly outputIndex: number,
  ) {
    this.id = ids.item('rs', outputIndex);
  }

  start(emit: Emit): void {
    const item = { id: this.id, type: 'reasoning', summary: [] };
    emit('response.output_item.added', { output_index: this.outputIndex, item });
  }

  add(text: string, emit: Emit): void {
    if (text === '') return;
    if (!this.hasPart) {
      this.hasPart = true;
      emit('response.reasoning_summary_part.added', { ...this.place(), part: { type: 'summary_text', text: '' } });
    }
    this.text += text;
    emit('response.reasoning_summary_text.delta', { ...this.place(), delta: text });
  }

  sign(signature: Signature): void {
    this.signature = signature;
  }

  finish(_status: ItemStatus, emit: Emit): JsonObject {
    const { text, signature } = this;
    if (this.hasPart) {
      emit('response.reasoning_summary_text.done', { ...this.place(), text });
      emit('response.reasoning_summary_part.done', { ...this.place(), part: { type: 'summary_text', text } });
    }
    const item = reasoningItem(this.id, { text, ...(signature !== undefined && { signature }) });
    emit('response.output_item.done', { output_index: this.outputIndex, item });
    return item;
  }

  private place(): JsonObject {
    return { item_id: this.id, output_index: this.outputIndex, summary_index: 0 };
  }
}

/** A call of a tool. Its input is passed on as it comes where it is the client's own text, and otherwise sent whole. */
export class CallItem implements StreamedItem {
  readonly kind = 'call';
  lateSignature: Signature | undefined;
  private readonly id: string;
  private readonly tool: CalledTool;
  private readonly passesOn: boolean;
  private input = '';
  private hasStarted = false;
  private isSigned = false;

  constructor(
    private readonly call: CallStart,
    tools: CalledTools,
    ids: ResponseIds,
    readonly outputIndex: number,
  ) {
    this.tool = tools.of(call.name, call.kind);
    this.id = ids.item(itemPrefix(this.tool), outputIndex);
    this.passesOn = isPassedOn(this.tool, call.kind);
  }

  start(emit: Emit): void {
    this.hasStarted = true;
    emit('response.output_item.added', { output_index: this.outputIndex, item: this.item('', 'in_progress') });
  }

  add(text: string, emit: Emit): void {
    if (text === '') return;
    this.input += text;
    if (this.passesOn) this.emitDelta(text, emit);
  }

  sign(signature: Signature): void {
    if (!this.hasStarted) this.isSigned = true;
    else if (!this.isSigned) this.lateSignature = signature;
  }

  finish(status: ItemStatus, emit: Emit): JsonObject {
    const input = this.call.kind === 'function' && this.input.trim() === '' ? '{}' : this.input;
    const text = writtenInput(this.tool, this.call.kind, input);
    if (!this.passesOn || input !== this.input) this.emitDelta(this.passesOn ? input : text, emit);
    if (this.tool.kind === 'function') {
      emit('response.function_call_arguments.done', { ...this.place(), name: this.tool.name, arguments: text });
    } else if (this.tool.kind === 'custom') {
      emit('response.custom_tool_call_input.done', { ...this.place(), input: text });
    }
    const item = this.item(input, status);
    emit('response.output_item.done', { output_index: this.outputIndex, item });
    return item;
  }

  private emitDelta(delta: string, emit: Emit): void {
    if (delta === '' || this.tool.kind === 'client') return;
    const name = this.tool.kind === 'custom' ? 'custom_tool_call_input' : 'function_call_arguments';
    emit(`response.${name}.delta`, { ...this.place(), delta });
  }

  private item(input: string, status: ItemStatus | 'in_progress'): JsonObject {
    return callItem(this.tool, this.call.kind, { id: this.id, callId: this.call.id, input, status });
  }

  private place(): JsonObject {
    return { item_id: this.id, output_index: this.outputIndex };
  }
}
