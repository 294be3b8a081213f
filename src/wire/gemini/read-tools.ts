import { invalidRequest } from '../../errors/gateway-error.js';
import type { CanonicalTool, FunctionTool, ToolChoice } from '../../operations/chat/canonical/canonical-request.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { readSchema } from './read-schema.js';
import { camelCase, enumOf, find, listOf, objectOf, stringOf, unread, wrongType, type Found } from './spelling.js';

const DECLARATION = new Set(['name', 'description', 'parameters', 'parametersJsonSchema']);

/** `tools`: declarations of functions, and tools that Google runs, each under its own name. @throws GatewayError 400 */
export function readTools(found: Found): CanonicalTool[] {
  const entries = listOf(found, 'an array of tools');
  return entries.flatMap((tool, index) => {
    const path = Array.isArray(found.value) ? `${found.path}[${index}]` : found.path;
    if (!isObject(tool)) throw wrongType(path, 'an object with functionDeclarations', tool);
    const declared = find(tool, 'functionDeclarations', path);
    const functions = listOf(declared, 'an array of functions').map((value, at) =>
      readDeclaration({ value, path: `${declared.path}[${at}]` }),
    );
    const hosted = Object.entries(tool).flatMap(([key, value]): CanonicalTool[] => {
      const name = camelCase(key);
      if (name === 'functionDeclarations' || value === null || value === undefined) return [];
      return [{ type: 'hosted', wire: 'gemini', name, value: { [name]: value }, place: path }];
    });
    return [...functions, ...hosted];
  });
}

function readDeclaration({ value, path }: Found): FunctionTool {
  if (!isObject(value)) throw wrongType(path, 'a function with a name', value);
  const named = find(value, 'name', path);
  const name = stringOf(named);
  if (name === undefined || name === '') {
    throw invalidRequest(`'${named.path}' must name the function.`, named.path, 'missing_required_parameter');
  }
  const description = stringOf(find(value, 'description', path));
  const schema = objectOf(find(value, 'parametersJsonSchema', path)) ?? objectOf(find(value, 'parameters', path));
  const extras = unread(value, DECLARATION);
  return {
    type: 'function',
    name,
    ...(description !== undefined && { description }),
    ...(schema !== undefined && { parameters: readSchema(schema) }),
    ...(extras !== undefined && { extras: { gemini: extras } }),
  };
}

/** `toolConfig`: which functions may or must be called. */
export function readToolChoice(found: Found): { readonly choice: ToolChoice | undefined; readonly extras: JsonObject } {
  const config = objectOf(found);
  if (config === undefined) return { choice: undefined, extras: {} };
  const calling = find(config, 'functionCallingConfig', found.path);
  const rest = Object.entries(unread(config, new Set(['functionCallingConfig'])) ?? {});
  const extras = Object.fromEntries(rest.map(([name, value]) => [`toolConfig.${name}`, value]));
  const settings = objectOf(calling);
  if (settings === undefined) return { choice: undefined, extras };
  const allowed = find(settings, 'allowedFunctionNames', calling.path);
  const listed = allowed.value === undefined ? [] : allowed.value;
  if (!Array.isArray(listed) || !listed.every((name): name is string => typeof name === 'string')) {
    throw wrongType(allowed.path, 'an array of names', listed);
  }
  return { choice: choiceOf(find(settings, 'mode', calling.path), listed), extras };
}

function choiceOf(mode: Found, names: readonly string[]): ToolChoice | undefined {
  const value = enumOf(mode);
  switch (value) {
    case undefined:
      return undefined;
    case 'NONE':
      return { type: 'none' };
    case 'ANY': {
      const [name] = names;
      if (name === undefined) return { type: 'required' };
      return names.length === 1 ? { type: 'tool', name } : { type: 'allowed', mode: 'required', names };
    }
    case 'AUTO':
    case 'VALIDATED':
      return names.length === 0 ? { type: 'auto' } : { type: 'allowed', mode: 'auto', names };
    default:
      throw invalidRequest(`'${mode.path}' must be AUTO, ANY, VALIDATED or NONE.`, mode.path);
  }
}
