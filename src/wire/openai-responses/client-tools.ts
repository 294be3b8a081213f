import { parseExact, printExact } from '../../runtime/exact-integers.js';
import { isObject, nonEmptyString, objectOf, withoutMembers, type JsonObject } from '../../runtime/json-value.js';

/**
 * Tools that the client runs, and that have item types of their own instead of `function_call`. Elsewhere they are functions, of which
 * the format knows description and parameters.
 */
export interface ClientTool {
  /** Type of the tool, and the name of the function that stands for it. */
  readonly name: string;
  readonly callType: string;
  readonly outputType: string;
  readonly description: string;
  readonly parameters: Readonly<JsonObject>;
  /** The member of a call that holds its arguments. */
  readonly member: string;
  /** Members of the call item from the arguments of the function. */
  readonly toCall: (input: JsonObject) => JsonObject;
  /** Arguments of the function from a call item. */
  readonly toInput: (item: JsonObject) => JsonObject;
}

const TEXT = { type: 'string' } as const;
const MILLISECONDS = { type: 'integer', description: 'Longest time, in milliseconds.' } as const;

const LOCAL_SHELL: ClientTool = {
  name: 'local_shell',
  callType: 'local_shell_call',
  outputType: 'local_shell_call_output',
  description: 'Runs a command in a shell on the machine of the user and returns its output.',
  parameters: {
    type: 'object',
    properties: {
      command: { type: 'array', items: TEXT, description: 'The program and its arguments.' },
      working_directory: TEXT,
      timeout_ms: MILLISECONDS,
      env: { type: 'object', additionalProperties: TEXT },
    },
    required: ['command'],
  },
  member: 'action',
  toCall: (input) => ({
    action: {
      ...input,
      type: 'exec',
      command: textsOf(input['command']),
      env: isObject(input['env']) ? input['env'] : {},
    },
  }),
  toInput: (item) => withoutMembers(objectOf(item['action']), ['type']),
};

const SHELL: ClientTool = {
  name: 'shell',
  callType: 'shell_call',
  outputType: 'shell_call_output',
  description: 'Runs commands in a shell and returns the output of each.',
  parameters: {
    type: 'object',
    properties: {
      commands: { type: 'array', items: TEXT, description: 'Lines for the shell, each run on its own.' },
      timeout_ms: MILLISECONDS,
      max_output_length: { type: 'integer', description: 'Most characters of output to return.' },
    },
    required: ['commands'],
  },
  member: 'action',
  toCall: (input) => ({
    action: { timeout_ms: null, max_output_length: null, ...input, commands: textsOf(input['commands']) },
    environment: { type: 'local' },
  }),
  toInput: (item) => withoutNulls(item['action']),
};

const APPLY_PATCH: ClientTool = {
  name: 'apply_patch',
  callType: 'apply_patch_call',
  outputType: 'apply_patch_call_output',
  description:
    'Creates, changes or deletes one file. `diff` is in V4A form: for a new file each line begins with `+`, for a change there are lines of context, lines with `-` and lines with `+`.',
  parameters: {
    type: 'object',
    properties: {
      type: { type: 'string', enum: ['create_file', 'update_file', 'delete_file'] },
      path: TEXT,
      diff: { type: 'string', description: 'Absent for delete_file.' },
    },
    required: ['type', 'path'],
  },
  member: 'operation',
  toCall: (input) => ({ operation: input }),
  toInput: (item) => objectOf(item['operation']),
};

const CLIENT_TOOLS: readonly ClientTool[] = [LOCAL_SHELL, SHELL, APPLY_PATCH];
const BY_NAME = new Map(CLIENT_TOOLS.map((tool) => [tool.name, tool]));
const BY_CALL = new Map(CLIENT_TOOLS.map((tool) => [tool.callType, tool]));
const BY_OUTPUT = new Map(CLIENT_TOOLS.map((tool) => [tool.outputType, tool]));

/** The client tool for an entry of `tools` of this type. */
export function clientToolOf(type: string): ClientTool | undefined {
  return BY_NAME.get(type);
}

/** The client tool for a call item of this type. */
export function clientToolOfCall(type: string): ClientTool | undefined {
  return BY_CALL.get(type);
}

/** The client tool for a result item of this type. */
export function clientToolOfOutput(type: string): ClientTool | undefined {
  return BY_OUTPUT.get(type);
}

/** Arguments of a function call as an object; what is none becomes `{}`. */
function parsedObject(input: string): JsonObject {
  try {
    const parsed = parseExact(input);
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

/** Members of an item of the tool, for a function call with these arguments. */
export function toClientCall(tool: ClientTool, input: string): JsonObject {
  return tool.toCall(parsedObject(input));
}

/** Arguments of the function call that stands for an item, as JSON text. */
export function toFunctionInput(tool: ClientTool, item: JsonObject): string {
  return printExact(tool.toInput(item));
}

/** The text of a custom tool's call where the provider only knew a function with the one argument `input`. */
export function customInputOf(input: string): string {
  const { input: text } = parsedObject(input);
  return nonEmptyString(text) ?? (text === '' ? '' : input);
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
}

function withoutNulls(value: unknown): JsonObject {
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== null));
}
