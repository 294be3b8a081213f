import { GatewayError } from '../errors/gateway-error.js';
import type { CanonicalMessage, OpaqueBlock } from '../operations/chat/canonical/blocks.js';
import type {
  CanonicalRequest,
  CustomTool,
  FunctionTool,
  HostedTool,
} from '../operations/chat/canonical/canonical-request.js';
import type { WireName } from '../operations/chat/canonical/wire-name.js';
import { isObject, nonEmptyString } from '../runtime/json-value.js';
import { messagesField, type DroppedFields } from './dropped-fields.js';

/** Tools of a request that a provider gets. */
export interface OfferedTools {
  /** Tools that the provider runs, in its own format. */
  readonly hosted: readonly HostedTool[];
  /** Tools that the client runs. */
  readonly client: readonly (FunctionTool | CustomTool)[];
}

/** A tool that only a provider of another format runs. */
interface ForeignTool {
  /** As `tool_choice` may name it: by its type, and by its name where it has one. */
  readonly names: readonly string[];
  /** Where it is in the client's request. */
  readonly place: string;
}

/** OpenAI's chat format offers the search of the web by a field of the request. */
const SEARCH_FIELD = 'web_search_options';
const MCP_SERVERS = 'mcp_servers';
const MAX_SHOWN_CHARACTERS = 80;

/**
 * The tools that a provider of a format gets. One rule holds for every format: a tool that another provider runs is left out and
 * named, since agents offer such tools by default. The request is refused where leaving it out would change what was asked for:
 * there is no other tool, `tool_choice` asks for it, or the last turn waits for its result.
 *
 * @param wire of the provider; hosted tools of this format are the provider's own
 * @throws GatewayError 400 that names the tool
 */
export function offeredTools(request: CanonicalRequest, wire: WireName, dropped: DroppedFields): OfferedTools {
  assertNoOpenCall(request.messages, wire, dropped.client);
  const { tools = [], toolChoice } = request;
  const hosted: HostedTool[] = [];
  const client: (FunctionTool | CustomTool)[] = [];
  const foreign: ForeignTool[] = [];
  tools.forEach((tool, index) => {
    if (tool.type !== 'hosted') client.push(tool);
    else if (tool.wire === wire) hosted.push(tool);
    else foreign.push(foreignTool(tool, index));
  });
  const search = request.extras?.['openai-chat']?.[SEARCH_FIELD];
  if (wire !== 'openai-chat' && isObject(search)) foreign.push({ names: [SEARCH_FIELD], place: SEARCH_FIELD });
  const isAlone = hosted.length === 0 && client.length === 0 && toolChoice?.type !== 'none';
  for (const tool of foreign) {
    if (isAlone || isChosen(tool, foreign, toolChoice)) throw unsupportedTool(tool);
    // Fields without a canonical place are named where the writer names all of them.
    if (tool.place !== tool.names[0]) dropped.dropNamed(`${tool.place}.${tool.names[0] ?? ''}`);
  }
  return { hosted, client };
}

function foreignTool({ name, value, place }: HostedTool, index: number): ForeignTool {
  if (name === MCP_SERVERS) return { names: [name], place: name };
  const own = nonEmptyString(value['name']);
  return { names: own === undefined ? [name] : [name, own], place: place ?? `tools[${index}]` };
}

function isChosen(tool: ForeignTool, foreign: readonly ForeignTool[], choice: CanonicalRequest['toolChoice']): boolean {
  if (choice?.type === 'tool') return tool.names.includes(choice.name);
  if (choice?.type !== 'allowed' || choice.names.length === 0) return false;
  return choice.names.every((name) => foreign.some(({ names }) => names.includes(name)));
}

/** 400 for a tool, or a field that offers one, that the provider lacks. */
export function unsupportedTool({ names: [name = ''], place }: ForeignTool): GatewayError {
  const what =
    place === name
      ? `'${place}' asks for a tool that`
      : `'${place}': the tool '${name.slice(0, MAX_SHOWN_CHARACTERS)}'`;
  return new GatewayError({
    status: 400,
    type: 'invalid_request_error',
    code: 'unsupported_value',
    message: `${what} is run by the provider, and this model's provider does not have it. Leave it out, or choose a model of a provider that has it.`,
    param: place.replace(/[[.].*/, ''),
  });
}

/** 400 for `web_search_options` where nothing else is offered. */
export function unsupportedSearch(): GatewayError {
  return unsupportedTool({ names: [SEARCH_FIELD], place: SEARCH_FIELD });
}

/** Calls of tools that a provider runs, by the names of their blocks, and where their results name them. */
const CALLS: Readonly<Record<string, (call: OpaqueBlock, later: readonly OpaqueBlock[]) => boolean>> = {
  server_tool_use: hasResult('id', 'tool_use_id'),
  mcp_tool_use: hasResult('id', 'tool_use_id'),
  mcp_approval_request: hasResult('id', 'approval_request_id', 'mcp_call'),
  executableCode: (_call, later) => later.some(({ name }) => name === 'codeExecutionResult'),
  toolCall: (_call, later) => later.some(({ name }) => name === 'toolResponse'),
};

function hasResult(id: string, reference: string, by?: string) {
  return ({ value }: OpaqueBlock, later: readonly OpaqueBlock[]): boolean =>
    later.some((block) => block.value[reference] === value[id] && (by === undefined || block.name === by));
}

/**
 * A turn that ends in a call of a tool which only its own provider can run cannot go on at another. What an answered call found is
 * in the text behind it, so those are left out.
 *
 * @param wire of the provider
 * @throws GatewayError 400 that names the tool
 */
export function assertNoOpenCall(messages: readonly CanonicalMessage[], wire: WireName, client: WireName): void {
  const last = messages.findLast(({ role }) => role === 'assistant');
  if (last === undefined) return;
  const calls = last.blocks.filter((block): block is OpaqueBlock => block.type === 'opaque' && block.wire !== wire);
  const open = calls.find((call, index) => CALLS[call.name]?.(call, calls.slice(index + 1)) === false);
  if (open === undefined) return;
  const name = nonEmptyString(open.value['name']) ?? open.name;
  const field = messagesField(client);
  throw new GatewayError({
    status: 400,
    type: 'invalid_request_error',
    code: 'unsupported_value',
    message: `'${field}': the last turn waits for a call of the tool '${name.slice(0, MAX_SHOWN_CHARACTERS)}' (${open.name}), which its provider runs, and this model's provider does not have it. Send the turn to a model of that provider, or leave the call out.`,
    param: field,
  });
}
