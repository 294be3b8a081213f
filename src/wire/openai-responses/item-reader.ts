import { upstreamError } from '../../errors/gateway-error.js';
import type { CanonicalBlock, ToolCallBlock } from '../../operations/chat/canonical/blocks.js';
import type { BlockStart, CanonicalChunk } from '../../operations/chat/canonical/canonical-result.js';
import { asNumber } from '../../runtime/exact-integers.js';
import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { RESPONSES } from './item-extras.js';
import { readOutputItem, type ToolNames } from './read-output.js';

type Kind = 'text' | 'refusal' | 'thinking' | 'tool_call' | 'whole';

interface Block {
  readonly kind: Kind;
  readonly index: number;
  readonly key: string;
  text: string;
  isOpen: boolean;
}

/** Separates parts of a summary, as paragraphs of one text. */
const PARAGRAPH = '\n\n';
const ARGUMENTS = /^(?:function_call_arguments|custom_tool_call_input)$/;

/** Reads one item of the output from the events of a stream. */
export class ItemReader {
  id: string | undefined;
  /** Items in the order in which they began. */
  private readonly blocks: Block[] = [];
  /** Arguments that came before the call was known, which another event repeats. */
  private early = '';
  private isFinished = false;
  /** Members of the call that has begun. */
  private called: JsonObject | undefined;

  constructor(
    private readonly next: () => number,
    private readonly toolNames: ToolNames,
  ) {}

  /** Kinds of its blocks. */
  get kinds(): readonly { readonly type: Kind }[] {
    return this.blocks.map(({ kind }) => ({ type: kind }));
  }

  begin(item: unknown, out: CanonicalChunk[]): void {
    if (!isObject(item)) return;
    this.id ??= nonEmptyString(item['id']);
    const type = item['type'];
    if (type !== 'function_call' && type !== 'custom_tool_call') return;
    this.startCall(item, out);
  }

  beginPart(event: JsonObject, out: CanonicalChunk[]): void {
    const { part } = event;
    if (!isObject(part)) return;
    if (part['type'] === 'output_text') this.block('text', keyOf('output_text', event), out);
    else if (part['type'] === 'refusal') this.block('refusal', keyOf('refusal', event), out);
  }

  add(kind: string, event: JsonObject, text: string, out: CanonicalChunk[]): void {
    if (ARGUMENTS.test(kind)) {
      const call = this.blocks.find((block) => block.kind === 'tool_call');
      if (call === undefined) this.early += text;
      else this.append(call, text, out);
      return;
    }
    this.append(this.partOf(kind, event, out), text, out);
  }

  /** The whole text of a part, of which the deltas may have left something out. */
  complete(kind: string, event: JsonObject, text: string, out: CanonicalChunk[]): void {
    if (ARGUMENTS.test(kind)) {
      const call = this.blocks.find((block) => block.kind === 'tool_call');
      if (call !== undefined) this.fill(call, text, out);
      return;
    }
    if (text === '' && this.known(kind, event) === undefined) return;
    this.fill(this.partOf(kind, event, out), text, out);
  }

  annotate(event: JsonObject, out: CanonicalChunk[]): void {
    const block = this.blocks.find((each) => each.kind === 'text' && each.isOpen);
    if (block === undefined || !isObject(event['annotation'])) return;
    const extras = { [RESPONSES]: { annotations: [event['annotation']] } };
    out.push({ type: 'block_extras', choice: 0, index: block.index, extras });
  }

  /** The whole item: what was not sent before is sent now. */
  finish(item: unknown, out: CanonicalChunk[]): void {
    if (!isObject(item)) return;
    this.id ??= nonEmptyString(item['id']);
    if (this.isFinished) {
      this.compare(item, out);
      return;
    }
    this.isFinished = true;
    this.assertSameCall(item);
    const parts = readOutputItem(item, this.toolNames);
    parts.forEach((block, index) => this.finishBlock(block, item, index, out));
    this.close(out);
  }

  closeTexts(out: CanonicalChunk[]): void {
    for (const block of this.blocks) if (block.kind !== 'tool_call') this.end(block, out);
  }

  close(out: CanonicalChunk[]): void {
    for (const block of this.blocks) this.end(block, out);
  }

  /** @throws GatewayError where arguments came for a call that never did */
  assertWhole(): void {
    if (this.early !== '') throw contradiction();
  }

  /**
   * @param item as the last event has it
   * @throws GatewayError where text was sent that the item does not have
   */
  assertIn(item: unknown): void {
    const whole = isObject(item) ? readOutputItem(item, this.toolNames) : [];
    const parts = whole.map(({ type }, index) =>
      keyOf(type === 'text' ? 'output_text' : type, { content_index: index }),
    );
    for (const { kind, key, text } of this.blocks) {
      if (kind !== 'text' && kind !== 'refusal') continue;
      if (text.trim() !== '' && !parts.includes(key)) throw contradiction();
    }
    const isCall = whole.some(({ type }) => type === 'tool_call');
    if (!isCall && this.blocks.some(({ kind }) => kind === 'tool_call')) throw contradiction();
    if (isObject(item)) this.assertSameCall(item);
  }

  private finishBlock(block: CanonicalBlock, item: JsonObject, index: number, out: CanonicalChunk[]): void {
    switch (block.type) {
      case 'text':
      case 'refusal': {
        const kind = block.type === 'text' ? 'output_text' : 'refusal';
        const event = { content_index: index };
        if (block.text === '' && this.known(kind, event) === undefined) return;
        this.fill(this.partOf(kind, event, out), block.text, out);
        return;
      }
      case 'thinking': {
        const { text, signature } = block;
        const begun = this.blocks.find((each) => each.kind === 'thinking');
        if (begun === undefined && text === '') {
          if (signature !== undefined) this.whole({ ...block, isRedacted: true }, out);
          return;
        }
        const thinking = begun ?? this.block('thinking', 'thinking', out);
        // Raw reasoning and its summary may both have come, of which the item has one.
        if (text.startsWith(thinking.text)) this.fill(thinking, text, out);
        if (signature !== undefined && thinking.isOpen) {
          out.push({ type: 'signature', choice: 0, index: thinking.index, signature });
        }
        return;
      }
      case 'tool_call': {
        const begun = this.blocks.find((each) => each.kind === 'tool_call') ?? this.startCall(item, out);
        // A tool of the client's own, whose item has no name.
        if (begun === undefined) this.wholeCall(block, out);
        else this.fill(begun, block.input, out);
        return;
      }
      default:
        this.whole(block, out);
    }
  }

  /** What the last event says of an item that was finished before. */
  private compare(item: JsonObject, out: CanonicalChunk[]): void {
    readOutputItem(item, this.toolNames).forEach((block, index) => {
      if (block.type !== 'text' && block.type !== 'refusal' && block.type !== 'tool_call') return;
      const key = keyOf(block.type === 'text' ? 'output_text' : block.type, { content_index: index });
      const sent = this.blocks.filter(
        (each) => each.kind === block.type && (block.type === 'tool_call' || each.key === key),
      );
      const text = block.type === 'tool_call' ? block.input : block.text;
      const whole = sent.map((each) => each.text).join('');
      if (sent.length === 0 && text !== '') this.finishBlock(block, item, index, out);
      else if (!isSame(whole, text)) throw contradiction();
    });
  }

  private startCall(item: JsonObject, out: CanonicalChunk[]): Block | undefined {
    if (this.blocks.some((block) => block.kind === 'tool_call')) return undefined;
    const [call] = readOutputItem(item, this.toolNames);
    if (call?.type !== 'tool_call' || nonEmptyString(item['name']) === undefined) return undefined;
    const { id, name, kind } = call;
    this.called = item;
    const block = this.start('tool_call', 'call', { type: 'tool_call', id, name, kind }, out);
    if (this.early !== '') this.append(block, this.early, out);
    this.early = '';
    return block;
  }

  /** @throws GatewayError where the item is another call than the one that has begun */
  private assertSameCall(item: JsonObject): void {
    for (const member of ['call_id', 'name']) {
      const [begun, whole] = [nonEmptyString(this.called?.[member]), nonEmptyString(item[member])];
      if (begun !== undefined && whole !== undefined && begun !== whole) throw contradiction();
    }
  }

  private partOf(kind: string, event: JsonObject, out: CanonicalChunk[]): Block {
    if (kind === 'output_text') return this.block('text', keyOf(kind, event), out);
    if (kind === 'refusal') return this.block('refusal', keyOf(kind, event), out);
    const key = keyOf(kind, event);
    const begun = this.blocks.find((block) => block.kind === 'thinking');
    if (begun === undefined) return this.block('thinking', key, out);
    // A further part of a summary continues the same thinking.
    const current = this.parts.get(begun);
    if (current !== key && current !== undefined) {
      this.partStart.set(begun, begun.text.length + PARAGRAPH.length);
      this.append(begun, PARAGRAPH, out);
    }
    this.parts.set(begun, key);
    return begun;
  }

  private readonly parts = new Map<Block, string>();
  /** Where the text of the current part begins. */
  private readonly partStart = new Map<Block, number>();

  private known(kind: string, event: JsonObject): Block | undefined {
    const key = keyOf(kind, event);
    return this.blocks.find((block) => block.key === key);
  }

  private block(kind: 'text' | 'refusal' | 'thinking', key: string, out: CanonicalChunk[]): Block {
    const begun = this.blocks.findLast((block) => block.key === key);
    if (begun !== undefined && (begun.isOpen || kind === 'thinking')) return begun;
    if (begun !== undefined && this.isFinished) return begun;
    for (const other of this.blocks) if (other.kind !== 'tool_call') this.end(other, out);
    const block = this.start(kind, key, { type: kind }, out);
    if (kind === 'thinking') this.parts.set(block, key);
    return block;
  }

  private start(kind: Kind, key: string, start: BlockStart, out: CanonicalChunk[]): Block {
    const block = { kind, key, index: this.next(), text: '', isOpen: true };
    this.blocks.push(block);
    out.push({ type: 'block_start', choice: 0, index: block.index, block: start });
    return block;
  }

  private whole(block: CanonicalBlock, out: CanonicalChunk[]): void {
    if (this.blocks.some(({ kind }) => kind === 'whole')) return;
    this.end(this.start('whole', 'whole', { type: 'whole', block }, out), out);
  }

  private wholeCall({ id, name, kind, input }: ToolCallBlock, out: CanonicalChunk[]): void {
    const block = this.start('tool_call', 'call', { type: 'tool_call', id, name, kind }, out);
    this.append(block, input, out);
    this.end(block, out);
  }

  private append(block: Block, text: string, out: CanonicalChunk[]): void {
    if (text === '') return;
    if (!block.isOpen) throw contradiction();
    block.text += text;
    out.push({ type: 'delta', choice: 0, index: block.index, text });
  }

  /** @throws GatewayError where the whole text is another than what the deltas said */
  private fill(block: Block, whole: string, out: CanonicalChunk[]): void {
    const from = this.isFinished ? 0 : (this.partStart.get(block) ?? 0);
    // Text that another item interrupted went on in a further block.
    const isText = block.kind === 'text' || block.kind === 'refusal';
    const before = isText ? this.blocks.filter(({ key }) => key === block.key).map(({ text }) => text) : [block.text];
    const sent = before.join('').slice(from);
    if (whole.startsWith(sent)) {
      if (whole.length > sent.length) this.append(block, whole.slice(sent.length), out);
    } else if (!isSame(sent, whole)) throw contradiction();
  }

  private end(block: Block, out: CanonicalChunk[]): void {
    if (!block.isOpen) return;
    block.isOpen = false;
    out.push({ type: 'block_end', choice: 0, index: block.index });
  }
}

function keyOf(kind: string, event: JsonObject): string {
  const isSummary = kind.startsWith('reasoning_summary');
  const index = asNumber(event[isSummary ? 'summary_index' : 'content_index']) ?? 0;
  return `${isSummary ? 'reasoning_summary' : kind}:${index}`;
}

/** Some servers trim the whole text. */
function isSame(sent: string, whole: string): boolean {
  return sent === whole || sent.trim() === whole.trim();
}

function contradiction(): Error {
  return upstreamError({
    message: 'The upstream provider sent a stream that contradicts itself: parts of it are missing.',
  });
}
