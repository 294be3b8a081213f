import type { CanonicalTool, ToolChoice } from '../../operations/chat/canonical/canonical-request.js';
import { invalidRequest } from '../../errors/gateway-error.js';
import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { definedTool } from './defined-tools.js';
import { wrongType } from './faults.js';
import { readCacheHint, readExtras } from './read-block.js';

const TOOL = new Set(['type', 'name', 'description', 'input_schema', 'strict', 'cache_control']);
const DEFINED = new Set(['name', 'cache_control']);

/**
 * `tools` and `mcp_servers`. Tools that the provider runs stay as they are.
 *
 * @throws GatewayError 400 that names the field
 */
export function readTools(body: JsonObject): CanonicalTool[] {
  const { tools, mcp_servers: servers } = body;
  const read: CanonicalTool[] = [];
  if (tools !== undefined && tools !== null) {
    if (!Array.isArray(tools)) throw wrongType('tools', 'an array of tools', tools);
    tools.forEach((tool: unknown, index) => read.push(readTool(tool, `tools[${index}]`)));
  }
  const hasToolset = read.some((tool) => tool.type === 'hosted' && tool.name === 'mcp_toolset');
  if (Array.isArray(servers) && servers.length > 0 && !hasToolset) {
    read.push({ type: 'hosted', wire: 'anthropic', name: 'mcp_servers', value: { mcp_servers: servers } });
  }
  return read;
}

function readTool(tool: unknown, path: string): CanonicalTool {
  if (!isObject(tool)) throw wrongType(path, 'an object', tool);
  const type = nonEmptyString(tool['type']);
  const name = nonEmptyString(tool['name']);
  const cache = readCacheHint(tool);
  const hint = cache === undefined ? {} : { cache };
  if (type !== undefined && type !== 'custom') {
    const defined = definedTool(type);
    if (defined === undefined || name === undefined)
      return { type: 'hosted', wire: 'anthropic', name: type, value: tool, place: path };
    const { description, parameters } = defined;
    const extras = readExtras(tool, DEFINED);
    return { type: 'function', name, description, parameters, ...hint, ...(extras !== undefined && { extras }) };
  }
  if (name === undefined) throw wrongType(`${path}.name`, 'the name of the tool', tool['name']);
  const { description, input_schema: parameters, strict } = tool;
  if (!isObject(parameters)) throw wrongType(`${path}.input_schema`, 'a JSON schema of an object', parameters);
  const extras = readExtras(tool, TOOL);
  return {
    type: 'function',
    name,
    ...(typeof description === 'string' && { description }),
    parameters,
    ...(typeof strict === 'boolean' && { strict }),
    ...hint,
    ...(extras !== undefined && { extras }),
  };
}

/** `tool_choice`, with whether calls may be parallel. */
export function readToolChoice(choice: unknown): { toolChoice?: ToolChoice; parallelToolCalls?: boolean } {
  if (choice === undefined || choice === null) return {};
  if (!isObject(choice)) throw wrongType('tool_choice', 'an object such as {"type": "auto"}', choice);
  const { type, disable_parallel_tool_use: disabled } = choice;
  const parallel = typeof disabled === 'boolean' ? { parallelToolCalls: !disabled } : {};
  switch (type) {
    case 'auto':
    case 'none':
      return { toolChoice: { type }, ...parallel };
    case 'any':
      return { toolChoice: { type: 'required' }, ...parallel };
    case 'tool': {
      const name = nonEmptyString(choice['name']);
      if (name === undefined) throw wrongType('tool_choice.name', 'the name of a tool', choice['name']);
      return { toolChoice: { type: 'tool', name }, ...parallel };
    }
    default:
      throw invalidRequest("'tool_choice.type' must be auto, any, tool or none.", 'tool_choice.type');
  }
}
