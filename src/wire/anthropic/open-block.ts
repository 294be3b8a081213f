import type { CanonicalBlock, Signature } from '../../operations/chat/canonical/blocks.js';
import type { CanonicalChunk } from '../../operations/chat/canonical/canonical-result.js';
import { parseExact } from '../../runtime/exact-integers.js';
import type { JsonObject } from '../../runtime/json-value.js';

/** Deltas that append to a string member of a block that is passed on whole, by the member. */
const MEMBERS = new Set(['type', 'partial_json']);

/** A content block of a stream in progress. Text, thinking and tool calls come in pieces; other blocks are passed on whole. */
export class OpenBlock {
  private signature: string;
  private json = '';
  private hasDelta = false;

  private index = -1;

  /**
   * @param nextIndex gives the block its place in the canonical stream when it is first passed on
   * @param block as its first event has it
   * @param value the same as the provider wrote it
   */
  constructor(
    private readonly nextIndex: () => number,
    private readonly block: CanonicalBlock,
    private readonly value: Readonly<JsonObject>,
  ) {
    this.signature = 'signature' in block ? (block.signature?.value ?? '') : '';
  }

  begin(out: CanonicalChunk[]): void {
    const { block } = this;
    if (this.isWhole) return;
    this.index = this.nextIndex();
    if (block.type === 'tool_call') {
      const { id, name, kind } = block;
      out.push({ type: 'block_start', ...this.at, block: { type: 'tool_call', id, name, kind } });
      if (block.extras !== undefined) out.push({ type: 'block_extras', ...this.at, extras: block.extras });
      return;
    }
    if (block.type !== 'text' && block.type !== 'thinking') return;
    out.push({ type: 'block_start', ...this.at, block: { type: block.type } });
    if (block.text !== '') out.push({ type: 'delta', ...this.at, text: block.text });
    if (block.extras !== undefined) out.push({ type: 'block_extras', ...this.at, extras: block.extras });
  }

  delta(delta: Readonly<JsonObject>, out: CanonicalChunk[]): void {
    if (this.isWhole) {
      this.extend(delta);
      return;
    }
    const text = this.textOf(delta);
    if (text !== undefined && text !== '') {
      this.hasDelta = true;
      out.push({ type: 'delta', ...this.at, text });
    }
    // Sent once; a repeated event has the same content.
    if (delta['type'] === 'signature_delta' && typeof delta['signature'] === 'string')
      this.signature = delta['signature'];
    if (delta['type'] === 'citations_delta' && delta['citation'] !== undefined) {
      out.push({ type: 'block_extras', ...this.at, extras: { anthropic: { citations: [delta['citation']] } } });
    }
  }

  end(out: CanonicalChunk[]): void {
    const { block } = this;
    if (this.isWhole) {
      this.index = this.nextIndex();
      out.push({ type: 'block_start', ...this.at, block: { type: 'whole', block: this.wholeBlock() } });
    } else if (block.type === 'tool_call' && !this.hasDelta) {
      // Some servers give all arguments with the name, and a tool without parameters has none.
      out.push({ type: 'delta', ...this.at, text: block.input });
    }
    if (!this.isWhole && this.signature !== '') {
      const signature: Signature = { wire: 'anthropic', value: this.signature };
      out.push({ type: 'signature', ...this.at, signature });
    }
    out.push({ type: 'block_end', ...this.at });
  }

  private get at(): { choice: number; index: number } {
    return { choice: 0, index: this.index };
  }

  /** Whether another block may begin before this one ends: servers interleave tool calls. */
  get mayStayOpen(): boolean {
    return this.block.type === 'tool_call';
  }

  private get isWhole(): boolean {
    const { block } = this;
    return block.type === 'opaque' || (block.type === 'thinking' && block.isRedacted === true);
  }

  private textOf(delta: Readonly<JsonObject>): string | undefined {
    const name = { text: 'text', thinking: 'thinking', tool_call: 'partial_json' }[this.block.type as 'text'];
    const text = delta[name];
    return typeof text === 'string' ? text : undefined;
  }

  private readonly added: JsonObject = {};

  /** A block that is passed on whole takes what its deltas bring. */
  private extend(delta: Readonly<JsonObject>): void {
    if (typeof delta['partial_json'] === 'string') this.json += delta['partial_json'];
    for (const [name, value] of Object.entries(delta)) {
      if (MEMBERS.has(name) || value === null) continue;
      const before = this.added[name];
      this.added[name] = typeof before === 'string' && typeof value === 'string' ? before + value : value;
    }
  }

  private wholeBlock(): CanonicalBlock {
    const { block, value, added, json } = this;
    if (block.type !== 'opaque') return block;
    return { ...block, value: { ...value, ...added, ...(json !== '' && { input: parsedOr(json) }) } };
  }
}

function parsedOr(json: string): unknown {
  try {
    return parseExact(json);
  } catch {
    return json;
  }
}
