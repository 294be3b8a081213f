import type { CanonicalRequest, CanonicalTool } from '../../operations/chat/canonical/canonical-request.js';
import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { clientToolOf, customInputOf, toClientCall, type ClientTool } from './client-tools.js';
import { extra } from './item-extras.js';

/** How the client knows a tool that the model has called. */
export type CalledTool =
  | { readonly kind: 'function' | 'custom'; readonly name: string; readonly namespace?: string }
  | { readonly kind: 'client'; readonly tool: ClientTool };

/** The tools of a request by the names that the provider had. */
export class CalledTools {
  private readonly tools = new Map<string, CalledTool>();
  /** Tools of namespaces by their own names, where one alone has it: models forget the namespace. */
  private readonly bare = new Map<string, CalledTool | undefined>();

  constructor({ tools = [] }: CanonicalRequest) {
    for (const tool of tools) {
      if (tool.type === 'hosted') continue;
      const called = calledTool(tool);
      this.tools.set(tool.name, called);
      if (called.kind === 'client' || called.namespace === undefined) continue;
      this.bare.set(called.name, this.bare.has(called.name) ? undefined : called);
    }
  }

  /** @param kind of the call, for a tool that the request did not have */
  of(name: string, kind: 'function' | 'custom'): CalledTool {
    return this.tools.get(name) ?? this.bare.get(name) ?? { kind, name };
  }
}

function calledTool(tool: Exclude<CanonicalTool, { type: 'hosted' }>): CalledTool {
  const raw = extra(tool, 'tool');
  const clientTool = isObject(raw) ? clientToolOf(tool.name) : undefined;
  if (clientTool !== undefined) return { kind: 'client', tool: clientTool };
  const [name, namespace] = [nonEmptyString(extra(tool, 'name')), nonEmptyString(extra(tool, 'namespace'))];
  if (name === undefined || namespace === undefined) return { kind: tool.type, name: tool.name };
  return { kind: tool.type, name, namespace };
}

/** The prefix of the ids of a tool's items. */
export function itemPrefix({ kind }: CalledTool): string {
  return kind === 'custom' ? 'ctc' : kind === 'client' ? 'sh' : 'fc';
}

/**
 * The item of a call.
 *
 * @param callKind what the provider called: a function may stand for a custom tool
 * @param input as the provider wrote it; empty while it is not known
 */
export function callItem(
  tool: CalledTool,
  callKind: 'function' | 'custom',
  {
    id,
    callId,
    input,
    status,
  }: { id: string; callId: string; input: string; status: 'in_progress' | 'completed' | 'incomplete' },
): JsonObject {
  if (tool.kind === 'client') {
    return { id, type: tool.tool.callType, status, call_id: callId, ...toClientCall(tool.tool, input) };
  }
  const { name, namespace } = tool;
  const named = { call_id: callId, name, ...(namespace !== undefined && { namespace }) };
  if (tool.kind === 'custom') {
    return { id, type: 'custom_tool_call', status, ...named, input: writtenInput(tool, callKind, input) };
  }
  return { id, type: 'function_call', status, ...named, arguments: writtenInput(tool, callKind, input) };
}

/** The input of a call as the client knows it. */
export function writtenInput(tool: CalledTool, callKind: 'function' | 'custom', input: string): string {
  if (tool.kind === callKind || tool.kind === 'client') return input;
  if (tool.kind === 'custom') return customInputOf(input);
  return input === '' ? '' : JSON.stringify({ input });
}

/** Whether pieces of the input can be sent as they come: they are the client's own text, and not within another form. */
export function isPassedOn(tool: CalledTool, callKind: 'function' | 'custom'): boolean {
  return tool.kind === callKind;
}
