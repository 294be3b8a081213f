import { invalidRequest } from '../../errors/gateway-error.js';
import { fieldName } from '../../operations/chat/canonical/canonical-fields.js';
import type {
  CanonicalRequest,
  CustomTool,
  FunctionTool,
  ToolChoice,
} from '../../operations/chat/canonical/canonical-request.js';
import type { WireName } from '../../operations/chat/canonical/wire-name.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { customDescription } from '../custom-tool.js';
import type { DroppedFields } from '../dropped-fields.js';
import { offeredTools } from '../hosted-tools.js';
import type { ToolNames } from '../tool-names.js';
import { writeSchema } from './write-schema.js';

/** The names of functions that Google allows. */
export const FUNCTION_NAME_RULE = { refused: /[^a-zA-Z0-9_.:-]/g, maxLength: 64, startsWithAny: false };
/** A custom tool takes one text. */
const CUSTOM_PARAMETERS: JsonObject = {
  type: 'object',
  properties: { input: { type: 'string', description: 'The input of the tool, as plain text.' } },
  required: ['input'],
};

/** Tools and the tool configuration in Gemini's form. */
export interface WrittenTools {
  readonly tools: readonly JsonObject[] | undefined;
  /** `functionCallingConfig`. */
  readonly calling: JsonObject | undefined;
  readonly hasFunctions: boolean;
}

/** @throws GatewayError 400 for a tool that must be called and cannot be sent */
export function writeTools(
  request: CanonicalRequest,
  client: WireName,
  names: ToolNames,
  dropped: DroppedFields,
): WrittenTools {
  const { toolChoice } = request;
  const { hosted, client: offered } = offeredTools(request, 'gemini', dropped);
  assertPossible(toolChoice, offered, client);
  const allowed = toolChoice?.type === 'allowed' && toolChoice.mode === 'auto' ? new Set(toolChoice.names) : undefined;
  const functions = offered.filter(({ name }) => allowed?.has(name) !== false);
  const declarations = functions.map((tool) => writeDeclaration(tool, names));
  const written = [
    ...(declarations.length > 0 ? [{ functionDeclarations: declarations }] : []),
    ...hosted.map(({ value }) => ({ ...value })),
  ];
  return {
    tools: written.length === 0 ? undefined : written,
    calling: declarations.length === 0 ? undefined : callingConfig(toolChoice, names),
    hasFunctions: declarations.length > 0,
  };
}

/** A response without a call that the request demands would be wrong. */
function assertPossible(
  choice: ToolChoice | undefined,
  tools: readonly (FunctionTool | CustomTool)[],
  client: WireName,
): void {
  const has = (name: string): boolean => tools.some((tool) => tool.name === name);
  const isPossible =
    choice?.type === 'tool'
      ? has(choice.name)
      : choice?.type === 'allowed' && choice.mode === 'required'
        ? choice.names.some(has)
        : choice?.type !== 'required' || tools.length > 0;
  if (isPossible) return;
  const field = fieldName('toolChoice', client);
  throw invalidRequest(`'${field}' demands a function that is not among the tools.`, field);
}

function writeDeclaration(tool: FunctionTool | CustomTool, names: ToolNames): JsonObject {
  const source = tool.type === 'custom' ? CUSTOM_PARAMETERS : tool.parameters;
  const description = tool.type === 'custom' ? customDescription(tool) : (tool.description ?? '');
  return {
    name: names.fit(tool.name),
    ...(description !== '' && { description }),
    ...writeParameters(source),
    ...tool.extras?.gemini,
  };
}

/** Rule of Google: the parameters are an object, and one without properties is left out. */
function writeParameters(schema: JsonObject | undefined): JsonObject {
  if (schema === undefined) return {};
  const written = writeSchema(asObject(schema));
  // A schema that refers to itself can only be said in JSON Schema.
  if (written === undefined) return { parametersJsonSchema: { type: 'object', ...schema } };
  return isObject(written['properties']) ? { parameters: written } : {};
}

/** A schema of alternatives as one object that has the properties of all; any other as an object. */
function asObject(schema: JsonObject): JsonObject {
  const listed = [schema['anyOf'], schema['oneOf']].find(Array.isArray) as readonly unknown[] | undefined;
  const { anyOf: _a, oneOf: _o, ...own } = schema;
  const result: JsonObject = { ...(listed === undefined ? schema : own), type: 'object' };
  delete result['const'];
  delete result['enum'];
  if (listed === undefined) return result;
  const branches = listed.filter(isObject).filter((branch) => isObject(branch['properties']));
  const properties = Object.assign(
    {},
    ...branches.map((branch) => branch['properties']),
    result['properties'],
  ) as JsonObject;
  const required = (branch: JsonObject): readonly unknown[] =>
    Array.isArray(branch['required']) ? branch['required'] : [];
  const [first, ...others] = branches.map(required);
  const common = (first ?? []).filter((name) => others.every((each) => each.includes(name)));
  const all = [...new Set([...required(result), ...common])];
  return { ...result, properties, ...(all.length > 0 && { required: all }) };
}

function callingConfig(choice: ToolChoice | undefined, names: ToolNames): JsonObject | undefined {
  switch (choice?.type) {
    case undefined:
      return undefined;
    case 'none':
      return { mode: 'NONE' };
    case 'required':
      return { mode: 'ANY' };
    case 'tool':
      return { mode: 'ANY', allowedFunctionNames: [names.fit(choice.name)] };
    case 'allowed':
      return choice.mode === 'auto'
        ? { mode: 'AUTO' }
        : { mode: 'ANY', allowedFunctionNames: choice.names.map((name) => names.fit(name)) };
    case 'auto':
      return { mode: 'AUTO' };
  }
}
