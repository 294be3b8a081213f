import type {
  CanonicalBlock,
  CanonicalMessage,
  ThinkingBlock,
  ToolCallBlock,
  ToolResultBlock,
} from '../../operations/chat/canonical/blocks.js';
import { extra } from './item-extras.js';

/** Messages that are made of items, in their order. */
export class MessageList {
  private readonly messages: CanonicalMessage[] = [];
  private role: 'assistant' | 'tool' | 'user' | undefined;
  private blocks: CanonicalBlock[] = [];
  /** Call ids by the id of the item. */
  private readonly calls = new Map<string, string>();

  /** A message that is no other's part. */
  add(message: CanonicalMessage): void {
    this.close();
    this.messages.push(message);
  }

  /** A part of the model's turn. */
  addToAssistant(block: CanonicalBlock): void {
    this.open('assistant');
    if (block.type !== 'tool_call') {
      this.blocks.push(block);
      return;
    }
    const itemId = extra(block, 'id');
    if (typeof itemId === 'string') this.calls.set(itemId, block.id);
    const before = this.blocks.at(-1);
    if (!isBareSignature(before)) this.blocks.push(block);
    else this.blocks[this.blocks.length - 1] = signed(block, before);
  }

  addResult(result: ToolResultBlock): void {
    this.open('tool');
    this.blocks.push(result);
  }

  /** An item that is no part of a message. */
  addToUser(block: CanonicalBlock): void {
    this.open('user');
    this.blocks.push(block);
  }

  /** The call of an item, or the id itself where it is of none. */
  callOf(itemId: string | undefined): string | undefined {
    return itemId === undefined ? undefined : (this.calls.get(itemId) ?? itemId);
  }

  finish(): CanonicalMessage[] {
    this.close();
    return this.messages;
  }

  private open(role: 'assistant' | 'tool' | 'user'): void {
    if (this.role === role) return;
    this.close();
    this.role = role;
  }

  private close(): void {
    if (this.role !== undefined && this.blocks.length > 0) {
      this.messages.push({ role: this.role, blocks: attachTrailingSignatures(this.blocks) });
    }
    this.role = undefined;
    this.blocks = [];
  }
}

/** A signature of a tool call, which has no member for it and is an item of its own beside it. */
function isBareSignature(block: CanonicalBlock | undefined): block is ThinkingBlock {
  return block?.type === 'thinking' && block.text === '' && block.signature?.wire === 'gemini' && !block.isRedacted;
}

function signed(block: ToolCallBlock, { signature }: ThinkingBlock): ToolCallBlock {
  return signature === undefined ? block : { ...block, signature };
}

/** In a stream a signature may come after its call has been sent. It stands behind the call then. */
function attachTrailingSignatures(blocks: readonly CanonicalBlock[]): CanonicalBlock[] {
  const attached: CanonicalBlock[] = [];
  for (const block of blocks) {
    const before = attached.at(-1);
    if (isBareSignature(block) && before?.type === 'tool_call' && before.signature === undefined) {
      attached[attached.length - 1] = signed(before, block);
    } else attached.push(block);
  }
  return attached;
}
