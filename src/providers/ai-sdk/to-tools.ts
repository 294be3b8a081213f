import type { JSONSchema7, LanguageModelV3FunctionTool, LanguageModelV3ToolChoice } from '@ai-sdk/provider';
import type { ChatRequest, FunctionTool } from '../../operations/chat/chat-completion.js';
import { invalidRequest } from '../../errors/gateway-error.js';
import { isObject, nonEmptyString } from '../../runtime/json-value.js';
import { cacheHint } from './cache-hint.js';
import type { Dialect } from './dialect.js';

export interface MappedTools {
  readonly tools: LanguageModelV3FunctionTool[] | undefined;
  readonly toolChoice: LanguageModelV3ToolChoice | undefined;
  /** What no provider but OpenAI has: tools that are not functions. */
  readonly dropped: readonly string[];
}

/** A function without parameters still needs a schema. */
const NO_PARAMETERS: JSONSchema7 = { type: 'object', properties: {} };

/**
 * `tools` and `tool_choice`, or their deprecated forerunners `functions` and `function_call`.
 *
 * @throws GatewayError 400 that names the field
 */
export function toTools(request: ChatRequest, dialect: Dialect): MappedTools {
  if (!dialect.takesTools) {
    const dropped = ['tools', 'tool_choice', 'functions', 'function_call'].filter((name) => request[name] != null);
    assertPossible(toToolChoice(request.tool_choice ?? request['function_call']).toolChoice, [], dropped);
    return { tools: undefined, toolChoice: undefined, dropped };
  }
  const dropped: string[] = [];
  const tools: LanguageModelV3FunctionTool[] = [];
  const entries = request.tools ?? [];
  entries.forEach((tool, index) => {
    const mapped = toTool(tool, tool.function ?? fromAnthropic(tool), dialect);
    if (mapped === undefined) dropped.push(`tools[${index}]`);
    else tools.push(mapped);
  });
  const functions = request['functions'];
  if (entries.length === 0 && Array.isArray(functions)) {
    functions.forEach((definition: unknown, index) => {
      const mapped = toTool(definition, definition, dialect);
      if (mapped === undefined) dropped.push(`functions[${index}]`);
      else tools.push(mapped);
    });
  }
  const { toolChoice, isDropped } = toToolChoice(request.tool_choice ?? request['function_call']);
  assertPossible(toolChoice, tools, dropped);
  if (tools.length === 0) return { tools: undefined, toolChoice: undefined, dropped };
  if (isDropped) dropped.push('tool_choice');
  return { tools, toolChoice, dropped };
}

/**
 * A response without a tool call that the request demands would be invalid.
 *
 * @throws GatewayError 400 when the tool that must be called cannot be sent
 */
function assertPossible(
  choice: LanguageModelV3ToolChoice | undefined,
  tools: readonly LanguageModelV3FunctionTool[],
  dropped: readonly string[],
): void {
  const isPossible =
    choice?.type === 'tool'
      ? tools.some(({ name }) => name === choice.toolName)
      : choice?.type !== 'required' || tools.length > 0;
  if (isPossible) return;
  throw invalidRequest(
    dropped.length === 0
      ? `'tool_choice' demands a function that is not among the tools.`
      : `'tool_choice' demands a tool that this model's provider cannot take: ${dropped.slice(0, 10).join(', ')}.`,
    'tool_choice',
  );
}

/** Anthropic's form of a tool, which clients of its batches send. */
function fromAnthropic({ name, description, input_schema: parameters, strict }: FunctionTool): unknown {
  return isObject(parameters) ? { name, description, parameters, strict } : undefined;
}

function toTool(carrier: unknown, definition: unknown, dialect: Dialect): LanguageModelV3FunctionTool | undefined {
  const name = isObject(definition) ? nonEmptyString(definition['name']) : undefined;
  if (!isObject(definition) || name === undefined) return undefined;
  const { description, parameters, strict } = definition;
  const providerOptions = cacheHint(carrier, dialect) ?? cacheHint(definition, dialect);
  return {
    type: 'function',
    name,
    ...(typeof description === 'string' && { description }),
    inputSchema: isObject(parameters) ? parameters : NO_PARAMETERS,
    ...(typeof strict === 'boolean' && { strict }),
    ...(providerOptions !== undefined && { providerOptions }),
  };
}

function toToolChoice(choice: unknown): { toolChoice: LanguageModelV3ToolChoice | undefined; isDropped: boolean } {
  if (choice === undefined || choice === null) return { toolChoice: undefined, isDropped: false };
  if (choice === 'auto' || choice === 'none' || choice === 'required') {
    return { toolChoice: { type: choice }, isDropped: false };
  }
  if (isObject(choice)) {
    const { type } = choice;
    if (type === 'auto' || type === 'none') return { toolChoice: { type }, isDropped: false };
    if (isObject(choice['allowed_tools']) && choice['allowed_tools']['mode'] === 'required') {
      throw invalidRequest(
        `This model's provider cannot be held to one of several tools: send 'tool_choice' as required, or name one function.`,
        'tool_choice',
        'unsupported_parameter',
      );
    }
    if (type === 'any' || type === 'required') return { toolChoice: { type: 'required' }, isDropped: false };
    const named = isObject(choice['function']) ? choice['function'] : choice;
    const toolName = nonEmptyString(named['name']);
    if (toolName !== undefined) return { toolChoice: { type: 'tool', toolName }, isDropped: false };
  }
  return { toolChoice: undefined, isDropped: true };
}
