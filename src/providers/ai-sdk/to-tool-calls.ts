import { parseExact, printExact } from '../../runtime/exact-integers.js';
import type { LanguageModelV3ToolCallPart } from '@ai-sdk/provider';
import type { ChatMessage, ToolCall } from '../../operations/chat/chat-completion.js';
import { invalidRequest } from '../../errors/gateway-error.js';
import { isObject, nonEmptyString } from '../../runtime/json-value.js';
import type { Dialect } from './dialect.js';
import { fromExtraContent } from './thought-signature.js';

/**
 * The tool calls of an assistant message, its deprecated `function_call` included. Changes `toolNames`: ids to names.
 *
 * @throws GatewayError 400 that names the field
 */
export function toToolCalls(
  message: ChatMessage,
  path: string,
  dialect: Dialect,
  toolNames: Map<string, string>,
): LanguageModelV3ToolCallPart[] {
  const calls = (message.tool_calls ?? []).map((call, index): LanguageModelV3ToolCallPart => {
    const place = `${path}.tool_calls[${index}]`;
    const custom = toCustomCall(call);
    if (custom !== undefined) {
      toolNames.set(custom.toolCallId, custom.toolName);
      return custom;
    }
    const called: unknown = call.function;
    const name = isObject(called) ? nonEmptyString(called['name']) : undefined;
    if (!isObject(called) || name === undefined) {
      throw invalidRequest(
        `Missing required field '${place}.function.name'.`,
        `${place}.function.name`,
        'missing_required_parameter',
      );
    }
    const id = nonEmptyString(call.id) ?? legacyCallId(name);
    toolNames.set(id, name);
    const providerOptions = fromExtraContent(call, dialect.namespace);
    return {
      type: 'tool-call',
      toolCallId: id,
      toolName: name,
      input: parseArguments(called['arguments']),
      ...(providerOptions !== undefined && { providerOptions }),
    };
  });
  const legacy = message['function_call'];
  const legacyName = isObject(legacy) ? nonEmptyString(legacy['name']) : undefined;
  if (calls.length > 0 || !isObject(legacy) || legacyName === undefined) return calls;
  const toolCallId = legacyCallId(legacyName);
  toolNames.set(toolCallId, legacyName);
  const input = parseArguments(legacy['arguments']);
  return [{ type: 'tool-call', toolCallId, toolName: legacyName, input }];
}

/** The deprecated `function_call` has no id, and its result names the function alone. */
export function legacyCallId(name: string): string {
  return `call_${name}`;
}

/** A call of a custom tool, whose input is free text. A provider that only knows JSON gets it in an object. */
function toCustomCall(call: ToolCall): LanguageModelV3ToolCallPart | undefined {
  const custom = call['custom'];
  const toolName = isObject(custom) ? nonEmptyString(custom['name']) : undefined;
  if (!isObject(custom) || toolName === undefined) return undefined;
  const input = { input: typeof custom['input'] === 'string' ? custom['input'] : '' };
  return { type: 'tool-call', toolCallId: nonEmptyString(call.id) ?? legacyCallId(toolName), toolName, input };
}

/**
 * Tool arguments are JSON in a string; providers want an object. What a model wrote that is none (blank, cut off, a list)
 * is history that no client can change, so it is sent within an object, under the name that Anthropic's documentation gives it.
 */
function parseArguments(value: unknown): unknown {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'string') return isObject(value) ? value : { INVALID_JSON: printExact(value) };
  const text = value.trim();
  if (text === '' || text === 'null') return {};
  try {
    const parsed: unknown = parseExact(text);
    if (isObject(parsed)) return parsed;
  } catch {
    // Sent as it is, below.
  }
  return { INVALID_JSON: value };
}
