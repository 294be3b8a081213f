import type { CanonicalBlock, Extras } from '../../operations/chat/canonical/blocks.js';
import type { CanonicalChunk, CanonicalUsage } from '../../operations/chat/canonical/canonical-result.js';
import type { ChatCompletionChunk, Delta, ToolCallDelta } from '../../operations/chat/chat-completion.js';
import { isObject } from '../../runtime/json-value.js';
import { writeFinish } from './canonical-finish.js';
import { writeUsage } from './canonical-usage.js';
import { createdSeconds, newCompletionId, newToolCallId } from './generated-ids.js';
import { writeCallSignature, writeThinkingBlock } from './thinking-blocks.js';
import { writeImage, type ResultDefaults } from './write-result.js';

interface OpenBlock {
  readonly type: 'text' | 'refusal' | 'thinking' | 'function' | 'custom' | 'whole';
  /** OpenAI's index of a tool call. */
  readonly call: number;
  /** Text of thinking so far, which its signed block repeats. */
  text: string;
}

/** Canonical chunks as OpenAI's, in the order of its contract: the role first, a finish chunk for each choice, usage last. */
export class ChunkWriter {
  private readonly id: string;
  private head: Pick<ChatCompletionChunk, 'id' | 'object' | 'created' | 'model'>;
  /** Open blocks by choice and index. */
  private readonly blocks = new Map<string, OpenBlock>();
  /** Calls so far, by choice. */
  private readonly calls = new Map<number, number>();
  private readonly begun = new Set<number>();
  private usage: CanonicalUsage | undefined;

  constructor({ model, now }: ResultDefaults) {
    this.id = newCompletionId();
    this.head = { id: this.id, object: 'chat.completion.chunk', created: createdSeconds(undefined, now), model };
  }

  write(chunk: CanonicalChunk, out: ChatCompletionChunk[]): void {
    switch (chunk.type) {
      case 'start': {
        const { id, model, created } = chunk;
        this.head = {
          ...this.head,
          ...(id !== undefined && id !== '' && { id }),
          ...(model !== undefined && model !== '' && { model }),
          ...(created !== undefined && { created: createdSeconds(created, created * 1000) }),
        };
        this.begin(0, out);
        break;
      }
      case 'block_start':
        this.start(chunk, out);
        break;
      case 'delta':
        this.delta(chunk.choice, chunk.index, chunk.text, out);
        break;
      case 'signature':
        this.sign(chunk, out);
        break;
      case 'block_extras':
        this.annotate(chunk.choice, chunk.extras, out);
        break;
      case 'logprobs':
        this.push(chunk.choice, {}, out, { logprobs: chunk.logprobs });
        break;
      case 'finish': {
        this.begin(chunk.choice, out);
        const hasCalls = (this.calls.get(chunk.choice) ?? 0) > 0;
        this.push(chunk.choice, {}, out, { finish_reason: writeFinish(chunk.reason, hasCalls) });
        break;
      }
      case 'usage':
        this.usage = chunk.usage;
        break;
      case 'end':
        if (this.usage !== undefined) out.push({ ...this.head, choices: [], usage: writeUsage(this.usage) });
        break;
      case 'block_end':
      case 'extras':
      case 'ping':
        break;
    }
  }

  private begin(choice: number, out: ChatCompletionChunk[]): void {
    if (this.begun.has(choice)) return;
    this.begun.add(choice);
    this.push(choice, { role: 'assistant', content: '' }, out);
  }

  private start(
    { choice, index, block }: CanonicalChunk & { readonly type: 'block_start' },
    out: ChatCompletionChunk[],
  ): void {
    this.begin(choice, out);
    const key = `${choice} ${index}`;
    if (block.type === 'whole') {
      this.blocks.set(key, { type: 'whole', call: 0, text: '' });
      this.whole(choice, block.block, out);
      return;
    }
    if (block.type !== 'tool_call') {
      this.blocks.set(key, { type: block.type, call: 0, text: '' });
      return;
    }
    const call = this.calls.get(choice) ?? 0;
    this.calls.set(choice, call + 1);
    this.blocks.set(key, { type: block.kind, call, text: '' });
    const id = block.id === '' ? newToolCallId() : block.id;
    const begun =
      block.kind === 'custom'
        ? ({ index: call, id, type: 'custom', custom: { name: block.name, input: '' } } as unknown as ToolCallDelta)
        : ({
            index: call,
            id,
            type: 'function',
            function: { name: block.name, arguments: '' },
          } satisfies ToolCallDelta);
    this.push(choice, { tool_calls: [begun] }, out);
  }

  private whole(choice: number, block: CanonicalBlock, out: ChatCompletionChunk[]): void {
    if (block.type === 'image') {
      const image = writeImage(block);
      if (image !== undefined) this.push(choice, { images: [image] }, out);
    } else if (block.type === 'thinking') {
      const signed = writeThinkingBlock(block);
      if (signed !== undefined) this.push(choice, { thinking_blocks: [signed] }, out);
    } else if (block.type === 'text') {
      this.push(choice, { content: block.text }, out);
    }
  }

  private delta(choice: number, index: number, text: string, out: ChatCompletionChunk[]): void {
    const block = this.blocks.get(`${choice} ${index}`);
    if (block === undefined || text === '') return;
    switch (block.type) {
      case 'text':
        this.push(choice, { content: text }, out);
        break;
      case 'refusal':
        this.push(choice, { refusal: text }, out);
        break;
      case 'thinking':
        block.text += text;
        this.push(choice, { reasoning_content: text }, out);
        break;
      case 'function':
        this.push(choice, { tool_calls: [{ index: block.call, function: { arguments: text } }] }, out);
        break;
      case 'custom':
        this.push(choice, { tool_calls: [{ index: block.call, custom: { input: text } }] }, out);
        break;
      case 'whole':
        break;
    }
  }

  private sign(
    { choice, index, signature }: CanonicalChunk & { readonly type: 'signature' },
    out: ChatCompletionChunk[],
  ): void {
    const block = this.blocks.get(`${choice} ${index}`);
    if (block?.type === 'thinking') {
      const signed = writeThinkingBlock({ type: 'thinking', text: block.text, signature });
      if (signed !== undefined) this.push(choice, { thinking_blocks: [signed] }, out);
    } else if (block?.type === 'function' || block?.type === 'custom') {
      const signed = writeCallSignature(signature);
      // Clients put deltas of a call together by their own rules, so that a signature goes along with the name where it can.
      const begun = out.at(-1)?.choices[0];
      const [call] = begun?.index === choice ? (begun.delta.tool_calls ?? []) : [];
      if (call?.index === block.call && call.id !== undefined) Object.assign(call, signed);
      else this.push(choice, { tool_calls: [{ index: block.call, ...signed }] }, out);
    }
  }

  private annotate(choice: number, extras: Extras, out: ChatCompletionChunk[]): void {
    const annotations: unknown = extras['openai-chat']?.['annotations'];
    if (!Array.isArray(annotations)) return;
    this.push(choice, { annotations: annotations.filter(isObject) }, out);
  }

  private push(
    choice: number,
    delta: Delta,
    out: ChatCompletionChunk[],
    rest: Partial<ChatCompletionChunk['choices'][number]> = {},
  ): void {
    out.push({ ...this.head, choices: [{ index: choice, delta, logprobs: null, finish_reason: null, ...rest }] });
  }
}
