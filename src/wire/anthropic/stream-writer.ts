import type { Signature } from '../../operations/chat/canonical/blocks.js';
import type {
  BlockStart,
  CanonicalChunk,
  CanonicalUsage,
  FinishReason,
} from '../../operations/chat/canonical/canonical-result.js';
import { writeSignature } from '../../operations/chat/canonical/signature-text.js';
import type { GatewayError } from '../../errors/gateway-error.js';
import { printExact } from '../../runtime/exact-integers.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { encodeEvent } from '../sse/sse-encoder.js';
import type { StreamWriter, WriteContext } from '../wire-format.js';
import { writeError } from './errors.js';
import { writeStopReason } from './finish-reason.js';
import { writeUsage } from './usage.js';
import { carrierOf, messageHead, toolUseId, writeContentBlock } from './write-response.js';

type BlockChunk = Extract<CanonicalChunk, { readonly index: number }>;

function frame(event: JsonObject): string {
  return encodeEvent(String(event['type']), printExact(event));
}

const PING = frame({ type: 'ping' });

/**
 * Writes the events of one message: one block at a time, with contiguous indices. Tool calls that a provider interleaves come one
 * after the other. Only the first choice is written.
 */
export class AnthropicStreamWriter implements StreamWriter {
  private hasBegun = false;
  private nextIndex = 0;
  private finish: FinishReason = 'stop';
  private stopSequence: string | null = null;
  private usage: CanonicalUsage | undefined;
  private extras: JsonObject = {};
  /** Chunks of the block that is being written, and of those that wait for its end, by their index in the canonical stream. */
  private readonly waiting = new Map<number, BlockChunk[]>();
  private current: number | undefined;

  constructor(private readonly context: WriteContext) {}

  write(chunks: readonly CanonicalChunk[]): string {
    let text = '';
    // The usage that comes with the start is part of the first event.
    const usage = chunks.find((chunk) => chunk.type === 'usage');
    if (usage !== undefined) this.usage = usage.usage;
    const signatures = signaturesIn(chunks);
    for (const chunk of chunks) text += this.one(chunk, signatures);
    return text;
  }

  ping(): string {
    return PING;
  }

  end(): string {
    return (
      this.begin({}) +
      frame({
        type: 'message_delta',
        delta: { stop_reason: writeStopReason(this.finish), stop_sequence: this.stopSequence },
        ...this.extras,
        usage: writeUsage(this.usage, this.context.estimatedInputTokens),
      }) +
      frame({ type: 'message_stop' })
    );
  }

  error(error: GatewayError): string {
    return frame(writeError(error, this.context.requestId));
  }

  private one(chunk: CanonicalChunk, signatures: ReadonlyMap<number, Signature>): string {
    switch (chunk.type) {
      case 'start':
        return this.begin(chunk);
      case 'block_start':
      case 'delta':
      case 'signature':
      case 'block_extras':
      case 'block_end':
        return chunk.choice === 0 ? this.begin({}) + this.ofBlock(chunk, signatures) : '';
      case 'finish':
        if (chunk.choice === 0) {
          this.finish = chunk.reason;
          this.stopSequence = chunk.stopSequence ?? null;
        }
        return '';
      case 'usage':
        this.usage = chunk.usage;
        return '';
      case 'extras':
        this.extras = { ...this.extras, ...chunk.extras.anthropic };
        return '';
      case 'ping':
        return PING;
      case 'logprobs':
      case 'end':
        return '';
    }
  }

  private begin(head: { readonly id?: string; readonly model?: string }): string {
    if (this.hasBegun) return '';
    this.hasBegun = true;
    const { context } = this;
    return frame({
      type: 'message_start',
      message: {
        ...messageHead(head, context),
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: writeUsage(this.usage, context.estimatedInputTokens),
      },
    });
  }

  private ofBlock(chunk: BlockChunk, signatures: ReadonlyMap<number, Signature>): string {
    if (chunk.type === 'block_start') this.waiting.set(chunk.index, []);
    this.current ??= chunk.index;
    if (chunk.index !== this.current) {
      this.waiting.get(chunk.index)?.push(chunk);
      return '';
    }
    const text = this.ofCurrent(chunk, signatures);
    return chunk.type === 'block_end' ? text + this.ofWaiting() : text;
  }

  /** The blocks that began meanwhile, in their order, up to the first that is still in progress. */
  private ofWaiting(): string {
    let text = '';
    for (const [index, held] of [...this.waiting]) {
      this.current = index;
      this.waiting.set(index, []);
      const signatures = signaturesIn(held);
      for (const each of held) text += this.ofCurrent(each, signatures);
      if (this.waiting.has(index)) break;
    }
    return text;
  }

  private ofCurrent(chunk: BlockChunk, signatures: ReadonlyMap<number, Signature>): string {
    switch (chunk.type) {
      case 'block_start':
        return this.startBlock(chunk.block, signatures.get(chunk.index));
      case 'delta':
        return this.deltaOf(chunk.text);
      case 'signature':
        return this.signatureOf(chunk.signature);
      case 'block_extras': {
        const citations = chunk.extras.anthropic?.['citations'];
        const list: readonly unknown[] = this.kind === 'text' && Array.isArray(citations) ? citations : [];
        return list.map((citation) => this.delta({ type: 'citations_delta', citation })).join('');
      }
      case 'block_end': {
        this.waiting.delete(chunk.index);
        this.current = undefined;
        const late = this.late;
        this.late = undefined;
        return (
          this.stop() +
          carrierOf(late)
            .map((carrier) => this.whole(carrier))
            .join('')
        );
      }
    }
  }

  private kind: BlockStart['type'] = 'text';
  private isOpen = false;
  private isSigned = false;
  /** The signature of a text, or of a call, that came after its start had been sent. */
  private late: Signature | undefined;

  private startBlock(block: BlockStart, signature: Signature | undefined): string {
    this.kind = block.type;
    this.isSigned = false;
    switch (block.type) {
      case 'text':
      case 'refusal':
        return this.carry(signature) + this.start({ type: 'text', text: '' });
      case 'thinking':
        return this.start({ type: 'thinking', thinking: '', signature: '' });
      case 'tool_call': {
        const { id, name } = block;
        return this.carry(signature) + this.start({ type: 'tool_use', id: toolUseId(id), name, input: {} });
      }
      case 'whole':
        return writeContentBlock(block.block)
          .map((content) => this.whole(content))
          .join('');
    }
  }

  private carry(signature: Signature | undefined): string {
    this.isSigned = signature !== undefined;
    return carrierOf(signature)
      .map((carrier) => this.whole(carrier))
      .join('');
  }

  private signatureOf(signature: Signature): string {
    if (this.kind === 'thinking') {
      return this.delta({ type: 'signature_delta', signature: writeSignature(signature, 'anthropic') });
    }
    if (!this.isSigned) this.late = signature;
    return '';
  }

  private deltaOf(text: string): string {
    switch (this.kind) {
      case 'thinking':
        return this.delta({ type: 'thinking_delta', thinking: text });
      case 'tool_call':
        return this.delta({ type: 'input_json_delta', partial_json: text });
      default:
        return this.delta({ type: 'text_delta', text });
    }
  }

  private start(block: JsonObject): string {
    this.isOpen = true;
    return frame({ type: 'content_block_start', index: this.nextIndex, content_block: block });
  }

  private delta(delta: JsonObject): string {
    return this.isOpen ? frame({ type: 'content_block_delta', index: this.nextIndex, delta }) : '';
  }

  private stop(): string {
    if (!this.isOpen) return '';
    this.isOpen = false;
    const text = frame({ type: 'content_block_stop', index: this.nextIndex });
    this.nextIndex += 1;
    return text;
  }

  /** A block that comes whole. The SDKs take text and thinking from the deltas as well as from the start. */
  private whole(block: JsonObject): string {
    const { type, text, thinking, signature } = block;
    if (type === 'text' && typeof text === 'string') {
      return this.start({ ...block, text: '' }) + this.delta({ type: 'text_delta', text }) + this.stop();
    }
    if (type === 'thinking' && thinking === '' && typeof signature === 'string') {
      return this.start({ ...block, signature: '' }) + this.delta({ type: 'signature_delta', signature }) + this.stop();
    }
    return this.start(block) + this.stop();
  }
}

/** Signatures by the index of their block, so that a call and its signature that come together are written in order. */
function signaturesIn(chunks: readonly CanonicalChunk[]): ReadonlyMap<number, Signature> {
  return new Map(
    chunks.flatMap((chunk) =>
      chunk.type === 'signature' && chunk.choice === 0 ? [[chunk.index, chunk.signature]] : [],
    ),
  );
}
