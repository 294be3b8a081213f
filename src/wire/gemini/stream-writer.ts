import type { GatewayError } from '../../errors/gateway-error.js';
import type { Signature } from '../../operations/chat/canonical/blocks.js';
import { writeSignature } from '../../operations/chat/canonical/signature-text.js';
import type { BlockStart, CanonicalChunk, CanonicalUsage } from '../../operations/chat/canonical/canonical-result.js';
import { printExact } from '../../runtime/exact-integers.js';
import type { JsonObject } from '../../runtime/json-value.js';
import type { StreamWriter, WriteContext } from '../wire-format.js';
import { writeError } from './errors.js';
import { writeFinishReason } from './finish-reason.js';
import { writeLogprobs } from './logprobs.js';
import { writeUsage } from './usage.js';
import { showsThoughts, writePart } from './write-response.js';

interface OpenBlock {
  readonly start: Exclude<BlockStart, { type: 'whole' }>;
  /** A call's input so far; Gemini gives calls whole. */
  input: string;
  signature?: Signature;
}

/** The parts of one choice for the next event. */
interface Pending {
  readonly parts: JsonObject[];
  logprobs?: JsonObject;
  finish?: JsonObject;
}

/**
 * Writes `streamGenerateContent?alt=sse`: events of one data line, each a response with the next parts. The finish reasons stand
 * with the usage in the last one.
 */
export class GeminiStreamWriter implements StreamWriter {
  private id: string;
  private model: string;
  private readonly open = new Map<string, OpenBlock>();
  private readonly finishes = new Map<number, JsonObject>();
  private usage: CanonicalUsage | undefined;
  private extras: JsonObject = {};

  constructor(private readonly context: WriteContext) {
    this.id = context.requestId;
    this.model = context.model;
  }

  write(chunks: readonly CanonicalChunk[]): string {
    const pending = new Map<number, Pending>();
    for (const chunk of chunks) this.take(chunk, pending);
    if (pending.size === 0) return '';
    return this.frame(
      [...pending].map(([index, { parts, logprobs }]) => ({
        content: { parts, role: 'model' },
        index,
        ...(logprobs !== undefined && { logprobsResult: logprobs }),
      })),
    );
  }

  /** Gemini has no event without content, and older clients of Google read nothing but data lines: a blank line is no event. */
  ping(): string {
    return '\n';
  }

  end(): string {
    const candidates = [...this.finishes].map(([index, finish]) => ({
      content: { parts: [{ text: '' }], role: 'model' },
      index,
      ...finish,
    }));
    const { usage } = this;
    return this.frame(candidates, usage === undefined ? {} : { usageMetadata: writeUsage(usage) });
  }

  error(error: GatewayError): string {
    return `data: ${printExact(writeError(error, this.context.requestId))}\n\n`;
  }

  private frame(candidates: readonly JsonObject[], more: JsonObject = {}): string {
    const body = { candidates, ...this.extras, ...more, modelVersion: this.model, responseId: this.id };
    this.extras = {};
    return `data: ${printExact(body)}\n\n`;
  }

  private take(chunk: CanonicalChunk, pending: Map<number, Pending>): void {
    switch (chunk.type) {
      case 'start':
        this.id = chunk.id ?? this.id;
        this.model = chunk.model ?? this.model;
        break;
      case 'block_start':
        this.begin(chunk, pending);
        break;
      case 'delta':
        this.delta(chunk, pending);
        break;
      case 'signature': {
        const block = this.open.get(keyOf(chunk));
        if (block !== undefined) block.signature = chunk.signature;
        break;
      }
      case 'block_end':
        this.finishBlock(chunk, pending);
        break;
      case 'logprobs': {
        const logprobs = writeLogprobs(chunk.logprobs);
        if (logprobs !== undefined) pendingOf(pending, chunk.choice).logprobs = logprobs;
        break;
      }
      case 'finish':
        this.finishes.set(chunk.choice, { finishReason: writeFinishReason(chunk.reason), ...chunk.extras?.gemini });
        break;
      case 'usage':
        this.usage = chunk.usage;
        break;
      case 'extras':
        Object.assign(this.extras, chunk.extras.gemini);
        break;
      case 'block_extras':
      case 'ping':
      case 'end':
        break;
    }
  }

  private begin(chunk: Extract<CanonicalChunk, { type: 'block_start' }>, pending: Map<number, Pending>): void {
    const { block, choice } = chunk;
    if (block.type === 'whole') {
      const parts = writePart(block.block, this.context);
      if (parts.length > 0) pendingOf(pending, choice).parts.push(...parts);
      return;
    }
    this.open.set(keyOf(chunk), { start: block, input: '' });
  }

  private delta(chunk: Extract<CanonicalChunk, { type: 'delta' }>, pending: Map<number, Pending>): void {
    const block = this.open.get(keyOf(chunk));
    if (block === undefined || chunk.text === '') return;
    if (block.start.type === 'tool_call') {
      block.input += chunk.text;
      return;
    }
    const isThought = block.start.type === 'thinking';
    if (isThought && !showsThoughts(this.context)) return;
    const { parts } = pendingOf(pending, chunk.choice);
    const last = parts.at(-1);
    // Pieces that came together are one part.
    const follows =
      typeof last?.['text'] === 'string' &&
      last['thoughtSignature'] === undefined &&
      (last['thought'] === true) === isThought;
    if (follows) last['text'] = `${String(last['text'])}${chunk.text}`;
    else parts.push({ text: chunk.text, ...(isThought && { thought: true }) });
  }

  private finishBlock(chunk: Extract<CanonicalChunk, { type: 'block_end' }>, pending: Map<number, Pending>): void {
    const key = keyOf(chunk);
    const block = this.open.get(key);
    if (block === undefined) return;
    this.open.delete(key);
    const { start, input, signature } = block;
    const signed = signature === undefined ? {} : { signature };
    if (start.type === 'tool_call') {
      const { id, name, kind } = start;
      const call = writePart({ type: 'tool_call', id, name, kind, input, ...signed }, this.context);
      pendingOf(pending, chunk.choice).parts.push(...call);
    } else if (signature !== undefined) {
      // The text has gone out; its signature follows in a part without text.
      const part = { text: '', ...(start.type === 'thinking' && { thought: true }) };
      pendingOf(pending, chunk.choice).parts.push({ ...part, thoughtSignature: writeSignature(signature, 'gemini') });
    }
  }
}

function keyOf({ choice, index }: { readonly choice: number; readonly index: number }): string {
  return `${choice}.${index}`;
}

function pendingOf(pending: Map<number, Pending>, choice: number): Pending {
  let found = pending.get(choice);
  if (found === undefined) {
    found = { parts: [] };
    pending.set(choice, found);
  }
  return found;
}
