import type {
  CanonicalTool,
  CustomTool,
  FunctionTool,
  ToolChoice,
} from '../../operations/chat/canonical/canonical-request.js';
import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { clientToolOf } from './client-tools.js';
import { extrasOf, RESPONSES } from './item-extras.js';
import { missing, wrongType } from './path-faults.js';

/** Between the name of a namespace and the name of a tool in it, where a format has no namespaces. */
const SEPARATOR = '__';

/** The one name of a tool in a namespace, for formats that have no namespaces. */
export function flatName(namespace: string | undefined, name: string): string {
  return namespace === undefined ? name : `${namespace}${SEPARATOR}${name}`;
}

interface Namespace {
  readonly name: string;
  readonly description: string | undefined;
}

/**
 * Tools of a request: functions, custom tools, tools with item types of their own that the client runs, and namespaces, whose tools
 * get one name. Tools that the provider runs stay as they are.
 *
 * @param path of the array
 * @throws GatewayError 400 that names the entry
 */
export function readTools(value: unknown, path: string): CanonicalTool[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrongType(path, 'an array of tools', value);
  return value.flatMap((tool: unknown, index) => readTool(tool, `${path}[${index}]`));
}

function readTool(tool: unknown, path: string): CanonicalTool[] {
  if (!isObject(tool)) throw wrongType(path, 'an object such as {"type": "function", "name": "lookup"}', tool);
  const { type } = tool;
  if (typeof type !== 'string' || type === '') {
    // Chat-shaped tools are known by their `function`.
    if (type === undefined && (isObject(tool['function']) || nonEmptyString(tool['name']) !== undefined)) {
      return [readFunction(tool, path, undefined)];
    }
    throw type === undefined
      ? missing(`${path}.type`, 'Send a tool such as {"type": "function", "name": "lookup"}.')
      : wrongType(`${path}.type`, 'the name of a tool type, such as function', type);
  }
  if (type === 'namespace') return readNamespace(tool, path);
  if (type === 'function') return [readFunction(tool, path, undefined)];
  if (type === 'custom') return [readCustom(tool, path, undefined)];
  const clientTool = clientToolOf(type);
  if (clientTool !== undefined && !isHostedShell(tool)) {
    const { name, description, parameters } = clientTool;
    return [{ type: 'function', name, description, parameters, ...extrasOf({ tool }) }];
  }
  return [{ type: 'hosted', wire: RESPONSES, name: type, value: tool, place: path }];
}

/** A shell in a container of the provider is not the client's. */
function isHostedShell({ environment }: JsonObject): boolean {
  return isObject(environment) && environment['type'] !== 'local';
}

function readNamespace(tool: JsonObject, path: string): CanonicalTool[] {
  const name = nonEmptyString(tool['name']);
  if (name === undefined) throw missing(`${path}.name`, 'Name the namespace.');
  const { tools } = tool;
  if (!Array.isArray(tools)) {
    throw tools === undefined
      ? missing(`${path}.tools`, 'Send the tools of the namespace.')
      : wrongType(`${path}.tools`, 'an array of tools', tools);
  }
  const namespace = { name, description: nonEmptyString(tool['description']) };
  return tools.map((inner: unknown, index) => {
    const place = `${path}.tools[${index}]`;
    if (!isObject(inner)) throw wrongType(place, 'a tool', inner);
    return inner['type'] === 'custom' ? readCustom(inner, place, namespace) : readFunction(inner, place, namespace);
  });
}

function readFunction(tool: JsonObject, path: string, namespace: Namespace | undefined): FunctionTool {
  // Some clients nest the function as chat does.
  const nested = isObject(tool['function']) ? tool['function'] : undefined;
  const own = nested ?? tool;
  const at = nested === undefined ? path : `${path}.function`;
  const { parameters, strict, description } = own;
  if (parameters !== undefined && parameters !== null && !isObject(parameters)) {
    throw wrongType(`${at}.parameters`, 'a JSON Schema object', parameters);
  }
  return {
    type: 'function',
    name: flatName(namespace?.name, nameOf(own, at)),
    ...described(description, namespace),
    ...(isObject(parameters) && { parameters }),
    ...(typeof strict === 'boolean' && { strict }),
    ...inNamespace(own, namespace),
  };
}

function readCustom(tool: JsonObject, path: string, namespace: Namespace | undefined): CustomTool {
  const nested = isObject(tool['custom']) ? tool['custom'] : undefined;
  const own = nested ?? tool;
  const { format, description } = own;
  return {
    type: 'custom',
    name: flatName(namespace?.name, nameOf(own, path)),
    ...described(description, namespace),
    ...(isObject(format) && { format }),
    ...inNamespace(own, namespace),
  };
}

function nameOf(tool: JsonObject, path: string): string {
  const name = nonEmptyString(tool['name']);
  if (name !== undefined) return name;
  throw tool['name'] === undefined
    ? missing(`${path}.name`, 'Name the tool.')
    : wrongType(`${path}.name`, 'the name of the tool', tool['name']);
}

/** The description of a namespace applies to each of its tools. */
function described(description: unknown, namespace: Namespace | undefined): { description?: string } {
  const parts = [namespace?.description, nonEmptyString(description)].filter((text) => text !== undefined);
  return parts.length === 0 ? {} : { description: parts.join('\n\n') };
}

/** What is needed to write the tool and its calls again as the client knows them. */
function inNamespace(tool: JsonObject, namespace: Namespace | undefined): ReturnType<typeof extrasOf> {
  return extrasOf({
    defer_loading: tool['defer_loading'],
    ...(namespace !== undefined && {
      namespace: namespace.name,
      namespace_description: namespace.description,
      name: tool['name'],
      description: tool['description'],
    }),
  });
}

/** @throws GatewayError 400 for what is no choice */
export function readToolChoice(choice: unknown): ToolChoice | undefined {
  if (choice === undefined || choice === null) return undefined;
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { type: choice };
  if (choice === 'any') return { type: 'required' };
  if (!isObject(choice)) {
    throw wrongType(
      'tool_choice',
      '"none", "auto", "required" or an object such as {"type": "function", "name": "lookup"}',
      choice,
    );
  }
  const { type } = choice;
  if (type === 'auto' || type === 'none' || type === 'required') return { type };
  if (type === 'allowed_tools') {
    const { tools } = choice;
    if (!Array.isArray(tools)) throw missing('tool_choice.tools', 'Name the tools that are allowed.');
    const mode = choice['mode'] === 'required' ? 'required' : 'auto';
    return { type: 'allowed', mode, names: tools.flatMap((tool: unknown) => chosenName(tool) ?? []) };
  }
  const name = chosenName(choice);
  if (name === undefined) throw missing('tool_choice.name', 'Name the tool, or send "auto".');
  return { type: 'tool', name };
}

/** A function, a custom tool, or a tool that has no name but its type. */
function chosenName(choice: unknown): string | undefined {
  if (!isObject(choice)) return undefined;
  // The name is that of a tool of the server, which the request does not list.
  if (choice['type'] === 'mcp') return 'mcp';
  const nested = choice['function'];
  const name = nonEmptyString(choice['name']) ?? (isObject(nested) ? nonEmptyString(nested['name']) : undefined);
  if (name !== undefined) return flatName(nonEmptyString(choice['namespace']), name);
  const type = nonEmptyString(choice['type']);
  return type === 'function' || type === 'custom' ? undefined : type;
}
