import type {
  CanonicalBlock,
  CanonicalMessage,
  ToolCallBlock,
  ToolResultBlock,
} from '../../operations/chat/canonical/blocks.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { clientToolOfCall, clientToolOfOutput, toClientCall } from './client-tools.js';
import { extra, RESPONSES } from './item-extras.js';
import { fitId, type ToolNames } from './tool-names.js';
import { writeInputParts, writeOutputPart, type Drop } from './write-parts.js';

/**
 * Messages as items. Results without a call before them become text of the user, and calls without a result get an empty one,
 * since the provider refuses both.
 */
export function writeItems(messages: readonly CanonicalMessage[], names: ToolNames, drop: Drop): JsonObject[] {
  const called = new Set<string>();
  const returned = new Set<string>();
  for (const { role, blocks } of messages) {
    for (const block of blocks) if (role === 'tool' && block.type === 'tool_result') returned.add(block.callId);
  }
  const items: JsonObject[] = [];
  messages.forEach((message, index) => {
    const path = `input[${index}].content`;
    switch (message.role) {
      case 'assistant':
        items.push(
          ...writeTurn(message.blocks, names, { called, returned, isLast: index === messages.length - 1 }, drop),
        );
        break;
      case 'tool':
        for (const block of message.blocks) {
          if (block.type === 'tool_result') items.push(writeResult(block, called, path, drop));
        }
        break;
      default:
        items.push(...writeMessage(message, path, drop));
    }
  });
  return items;
}

function writeMessage({ role, blocks, ...message }: CanonicalMessage, path: string, drop: Drop): JsonObject[] {
  const compaction = blocks.length === 1 ? extra(blocks[0], 'compaction') : undefined;
  if (isObject(compaction)) return [compaction];
  // Items that only this format has were read as a user's message of their own.
  const items = blocks.flatMap((block) =>
    block.type === 'opaque' && block.wire === RESPONSES && isItem(block.value) ? [block.value] : [],
  );
  const content = writeInputParts(
    blocks.filter((block) => block.type !== 'opaque' || !items.includes(block.value)),
    path,
    drop,
  );
  if (content.length === 0) return items;
  const id = extra(message, 'id');
  return [...items, { type: 'message', ...(typeof id === 'string' && { id }), role, content }];
}

/** Whether a value that only this format has stands in the input itself, and not within a message. */
function isItem({ type }: Readonly<JsonObject>): boolean {
  return typeof type !== 'string' || !/^(?:input|output)_|^computer_screenshot$/.test(type);
}

interface Conversation {
  readonly called: Set<string>;
  readonly returned: ReadonlySet<string>;
  /** Whether the model continues this turn. */
  readonly isLast: boolean;
}

/** The model's turn: a message for each run of text, and items of their own for all else. */
function writeTurn(
  blocks: readonly CanonicalBlock[],
  names: ToolNames,
  { called, returned, isLast }: Conversation,
  drop: Drop,
): JsonObject[] {
  const items: JsonObject[] = [];
  const emptyOutputs: JsonObject[] = [];
  let message: { id: unknown; content: JsonObject[] } | undefined;
  blocks.forEach((block, index) => {
    const part = writeOutputPart(block);
    if (part !== undefined) {
      const [id, phase] = [extra(block, 'id'), extra(block, 'phase')];
      if (message === undefined || message.id !== id) {
        message = { id, content: [] };
        items.push({
          type: 'message',
          ...(typeof id === 'string' && { id }),
          role: 'assistant',
          status: 'completed',
          ...(phase !== undefined && { phase }),
          content: message.content,
        });
      }
      message.content.push(part);
      return;
    }
    message = undefined;
    switch (block.type) {
      case 'thinking':
        items.push(...writeThinking(block, items.length));
        break;
      case 'tool_call': {
        const item = writeCall(block, names);
        called.add(block.id);
        items.push(item);
        if (!returned.has(block.id) && !isLast) emptyOutputs.push(emptyOutput(item));
        break;
      }
      case 'opaque':
        if (block.wire === RESPONSES) items.push(block.value);
        else drop(`messages[].content[${index}].${block.name}`);
        break;
      default:
        drop(`messages[].content[${index}]`);
    }
  });
  return [...items, ...emptyOutputs];
}

function emptyOutput({ type, call_id: id }: JsonObject): JsonObject {
  return type === 'custom_tool_call'
    ? { type: 'custom_tool_call_output', call_id: id, output: '' }
    : { type: 'function_call_output', call_id: id, output: '' };
}

/** Providers can read only what providers of the same format made. */
function writeThinking(block: CanonicalBlock & { type: 'thinking' }, index: number): JsonObject[] {
  if (block.signature?.wire !== RESPONSES) return [];
  const [id, summary, content] = [extra(block, 'id'), extra(block, 'summary'), extra(block, 'content')];
  const isContent = Array.isArray(content);
  const texts = Array.isArray(summary) ? summary : block.text === '' || isContent ? [] : [block.text];
  return [
    {
      type: 'reasoning',
      id: typeof id === 'string' ? id : `rs_${index}`,
      summary: texts.map((text: unknown) => ({ type: 'summary_text', text })),
      ...(isContent && { content: content.map((text: unknown) => ({ type: 'reasoning_text', text })) }),
      encrypted_content: block.signature.value,
    },
  ];
}

function writeCall(block: ToolCallBlock, names: ToolNames): JsonObject {
  const [id, type, namespace, name] = ['id', 'type', 'namespace', 'name'].map((each) => extra(block, each));
  const own = { ...(typeof id === 'string' && { id }), call_id: fitId(block.id) };
  const clientTool = typeof type === 'string' ? clientToolOfCall(type) : undefined;
  if (clientTool !== undefined) {
    return { type, ...own, status: 'completed', ...toClientCall(clientTool, block.input) };
  }
  const called =
    typeof namespace === 'string' && typeof name === 'string' ? { name, namespace } : { name: names.write(block.name) };
  if (block.kind === 'custom') return { type: 'custom_tool_call', ...own, ...called, input: block.input };
  return { type: 'function_call', ...own, ...called, arguments: block.input.trim() === '' ? '{}' : block.input };
}

function writeResult(block: ToolResultBlock, called: ReadonlySet<string>, path: string, drop: Drop): JsonObject {
  const parts = writeInputParts(block.content, path, drop);
  const isText = parts.every(({ type }) => type === 'input_text');
  const text = parts.map((part) => part['text']).join('\n');
  const output = isText && parts.length < 2 ? text : parts;
  if (!called.has(block.callId)) {
    const content = isText ? [{ type: 'input_text', text: `Result of a tool: ${text}` }] : parts;
    return { type: 'message', role: 'user', content };
  }
  const [id, type] = [extra(block, 'id'), extra(block, 'type')];
  const own = { ...(typeof id === 'string' && { id }), call_id: fitId(block.callId) };
  if (typeof type === 'string' && clientToolOfOutput(type) !== undefined) {
    return { type, ...own, ...clientOutput(type, text, block.isError === true) };
  }
  return { type: block.kind === 'custom' ? 'custom_tool_call_output' : 'function_call_output', ...own, output };
}

function clientOutput(type: string, output: string, isError: boolean): JsonObject {
  if (type === 'apply_patch_call_output') return { status: isError ? 'failed' : 'completed', output };
  return { output: type === 'shell_call_output' ? listOf(output) : output };
}

function listOf(output: string): unknown {
  try {
    const parsed: unknown = JSON.parse(output);
    if (Array.isArray(parsed)) return parsed;
  } catch {
    // Text, which stands in a list of one.
  }
  return [{ stdout: output, stderr: '', outcome: { type: 'exit', exit_code: 0 } }];
}
