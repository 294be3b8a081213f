import type { BlockStart, CanonicalChunk } from '../../operations/chat/canonical/canonical-result.js';
import type { ChatCompletionChunk, ChunkChoice, ToolCallDelta } from '../../operations/chat/chat-completion.js';
import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { readFinish } from './canonical-finish.js';
import { readUsage } from './canonical-usage.js';
import { readImages, reasoningOf } from './read-result.js';
import { legacyCallId } from './read-messages.js';
import { readCallSignature, readThinkingBlock } from './thinking-blocks.js';

interface OpenBlock {
  readonly index: number;
  readonly type: 'text' | 'refusal' | 'thinking' | 'tool_call';
}

/** One choice of a stream: which of its blocks are open. */
class ChoiceState {
  private next = 0;
  /** Text, a refusal or thinking: one at a time. */
  private current: OpenBlock | undefined;
  /** Tool calls by OpenAI's index. Servers interleave them, so they stay open until the choice ends. */
  private readonly calls = new Map<number, OpenBlock>();
  hasRefused = false;
  hasCalled = false;

  constructor(private readonly choice: number) {}

  text(type: 'text' | 'refusal' | 'thinking', text: string, out: CanonicalChunk[]): void {
    const block = this.open(type, out);
    out.push({ type: 'delta', choice: this.choice, index: block.index, text });
  }

  whole(block: BlockStart & { readonly type: 'whole' }, out: CanonicalChunk[]): void {
    this.close(out);
    const index = this.start(block, out);
    out.push({ type: 'block_end', choice: this.choice, index });
  }

  /** Signed thinking comes whole, beside or after its text. */
  signed(value: unknown, out: CanonicalChunk[]): void {
    const block = readThinkingBlock(value);
    if (block?.signature === undefined) return;
    if (block.isRedacted === true) {
      this.whole({ type: 'whole', block }, out);
      return;
    }
    const isOpen = this.current?.type === 'thinking';
    const { index } = this.open('thinking', out);
    if (!isOpen && block.text !== '') out.push({ type: 'delta', choice: this.choice, index, text: block.text });
    out.push({ type: 'signature', choice: this.choice, index, signature: block.signature });
    this.close(out);
  }

  call(delta: ToolCallDelta, out: CanonicalChunk[]): void {
    const { custom } = delta as { custom?: unknown };
    const isCustom = isObject(custom);
    const called: JsonObject = isCustom ? custom : isObject(delta.function) ? delta.function : {};
    let block = this.calls.get(delta.index);
    if (block === undefined) {
      this.hasCalled = true;
      this.close(out);
      const name = nonEmptyString(called['name']) ?? '';
      const id = nonEmptyString(delta.id) ?? legacyCallId(name);
      const index = this.start({ type: 'tool_call', id, name, kind: isCustom ? 'custom' : 'function' }, out);
      block = { index, type: 'tool_call' };
      this.calls.set(delta.index, block);
    }
    const text = nonEmptyString(called[isCustom ? 'input' : 'arguments']);
    if (text !== undefined) out.push({ type: 'delta', choice: this.choice, index: block.index, text });
    const signature = readCallSignature(delta);
    if (signature !== undefined) out.push({ type: 'signature', choice: this.choice, index: block.index, signature });
  }

  end(out: CanonicalChunk[]): void {
    this.close(out);
    for (const { index } of this.calls.values()) out.push({ type: 'block_end', choice: this.choice, index });
    this.calls.clear();
  }

  private open(type: 'text' | 'refusal' | 'thinking', out: CanonicalChunk[]): OpenBlock {
    if (this.current?.type === type) return this.current;
    this.close(out);
    this.current = { index: this.start({ type }, out), type };
    return this.current;
  }

  private close(out: CanonicalChunk[]): void {
    if (this.current === undefined) return;
    out.push({ type: 'block_end', choice: this.choice, index: this.current.index });
    this.current = undefined;
  }

  private start(block: BlockStart, out: CanonicalChunk[]): number {
    const index = this.next;
    this.next += 1;
    out.push({ type: 'block_start', choice: this.choice, index, block });
    return index;
  }
}

/** OpenAI's chunks as canonical ones. The chunks are normalised, as all within the gateway are. */
export class ChunkReader {
  private readonly choices = new Map<number, ChoiceState>();
  private hasStarted = false;
  private hasFinished = false;

  read(chunk: ChatCompletionChunk, out: CanonicalChunk[]): void {
    if (!this.hasStarted) {
      this.hasStarted = true;
      out.push({ type: 'start', id: chunk.id, model: chunk.model, created: chunk.created });
    }
    for (const choice of chunk.choices) this.readChoice(choice, out);
    const usage = readUsage(chunk.usage);
    if (usage !== undefined) out.push({ type: 'usage', usage });
  }

  /** Whether a choice has ended. */
  get isWhole(): boolean {
    return this.hasFinished;
  }

  end(out: CanonicalChunk[]): void {
    for (const state of this.choices.values()) state.end(out);
    out.push({ type: 'end' });
  }

  private readChoice({ index, delta, logprobs, finish_reason: reason }: ChunkChoice, out: CanonicalChunk[]): void {
    const state = this.choices.get(index) ?? new ChoiceState(index);
    this.choices.set(index, state);
    const reasoning = reasoningOf(delta);
    if (reasoning !== '') state.text('thinking', reasoning, out);
    const signed = delta['thinking_blocks'];
    if (Array.isArray(signed)) for (const block of signed) state.signed(block, out);
    if (nonEmptyString(delta.content) !== undefined) state.text('text', delta.content ?? '', out);
    const refusal = nonEmptyString(delta.refusal);
    if (refusal !== undefined) {
      state.hasRefused = true;
      state.text('refusal', refusal, out);
    }
    for (const block of readImages(delta['images'])) state.whole({ type: 'whole', block }, out);
    for (const call of delta.tool_calls ?? []) state.call(call, out);
    if (logprobs != null) out.push({ type: 'logprobs', choice: index, logprobs });
    if (reason === null) return;
    this.hasFinished = true;
    state.end(out);
    out.push({ type: 'finish', choice: index, reason: readFinish(reason, state.hasRefused, state.hasCalled) });
  }
}
