import type { CanonicalBlock, Signature, ToolCallBlock } from '../../operations/chat/canonical/blocks.js';
import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { clientToolOfCall } from './client-tools.js';
import { RESPONSES } from './item-extras.js';
import { readContent } from './read-content.js';
import { readCall, readClientCall, readParts, readReasoning } from './read-items.js';
import { namelessCall } from '../nameless-call.js';

export type ToolNames = ReadonlyMap<string, string> | undefined;

/** A signature of a provider is its own, even one that looks like another's. */
export function ownSignature(value: string): Signature {
  return { wire: RESPONSES, value };
}

/** Items of a provider's output as blocks. What is no item of a known kind stays as it is. */
export function readOutputItems(output: readonly unknown[], toolNames: ToolNames): CanonicalBlock[] {
  return output.flatMap((item) => (isObject(item) ? readOutputItem(item, toolNames) : []));
}

/** Reads an output item of a response. */
export function readOutputItem(item: JsonObject, toolNames: ToolNames): CanonicalBlock[] {
  const type = nonEmptyString(item['type']) ?? 'message';
  switch (type) {
    case 'message':
      return readParts(item, readOpenContent(item['content']));
    case 'reasoning':
      return [readReasoning(item, ownSignature)];
    case 'function_call':
    case 'custom_tool_call':
      if (nonEmptyString(item['name']) === undefined) throw namelessCall();
      return isCall(item) ? [renamed(readCall(item, 'output'), toolNames)] : [];
    default: {
      const clientTool = clientToolOfCall(type);
      if (clientTool !== undefined && isCall({ name: type, ...item })) {
        return [readClientCall(clientTool, item, 'output')];
      }
      return [{ type: 'opaque', wire: RESPONSES, name: type, value: item }];
    }
  }
}

/** A client cannot run a call without a name or an id. */
function isCall(item: JsonObject): boolean {
  const id = nonEmptyString(item['call_id']) ?? nonEmptyString(item['id']);
  return nonEmptyString(item['name']) !== undefined && id !== undefined;
}

/** Tool names of the provider become those of the client. */
export function renamed(call: ToolCallBlock, toolNames: ToolNames): ToolCallBlock {
  const name = toolNames?.get(call.name);
  return name === undefined ? call : { ...call, name };
}

/** Parts that a request could not have are left out here, where no client can change them. */
function readOpenContent(content: unknown): CanonicalBlock[] {
  if (typeof content === 'string') return readContent(content, 'output');
  if (!Array.isArray(content)) return [];
  return content.flatMap((part: unknown): CanonicalBlock[] => {
    if (!isObject(part)) return [];
    if (part['type'] === 'refusal') {
      return typeof part['refusal'] === 'string' ? [{ type: 'refusal', text: part['refusal'] }] : [];
    }
    return typeof part['text'] === 'string' ? readContent([{ ...part, type: 'output_text' }], 'output') : [];
  });
}
