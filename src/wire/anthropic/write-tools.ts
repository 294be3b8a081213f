import type { CanonicalMessage } from '../../operations/chat/canonical/blocks.js';
import type {
  CanonicalRequest,
  CanonicalTool,
  CustomTool,
  FunctionTool,
} from '../../operations/chat/canonical/canonical-request.js';
import { invalidRequest } from '../../errors/gateway-error.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { CUSTOM_TOOL_PARAMETERS, customDescription } from '../custom-tool.js';
import type { DroppedFields } from '../dropped-fields.js';
import { offeredTools } from '../hosted-tools.js';
import type { ToolNames } from '../tool-names.js';
import type { Target } from '../wire-format.js';
import { cacheControl } from './cache-breakpoints.js';
import type { ClaudeModel } from './claude-model.js';
import { unsupportedValue } from './faults.js';
import { inputSchema } from './input-schema.js';
import { structuredSchema } from './structured-schema.js';
import { ownFormat, type AnthropicTraits } from './traits.js';

/** Strict tools that one request may have. */
const MAX_STRICT_TOOLS = 20;

/** Tools and the tool choice in Anthropic's form. */
export interface WrittenTools {
  readonly tools?: readonly JsonObject[];
  readonly tool_choice?: JsonObject;
}

interface Options {
  readonly target: Target;
  readonly model: ClaudeModel;
  readonly names: ToolNames;
  readonly dropped: DroppedFields;
}

/**
 * Tools and the choice among them.
 *
 * @throws GatewayError 400 where the request demands a call that cannot be had
 */
export function writeTools(request: CanonicalRequest, options: Options): WrittenTools {
  const own = ownFormat(options.target);
  const { hosted, client } = offeredTools(request, own, options.dropped);
  const listed = allowedTools(client, request, options);
  const strict = strictTools(listed, options);
  const tools: JsonObject[] = hosted.flatMap(({ name, value }) => (name === 'mcp_servers' ? [] : [{ ...value }]));
  for (const tool of listed) {
    tools.push(writeTool(tool, options.names, { isStrict: strict.has(tool), isOwn: own === 'anthropic' }));
  }
  if (tools.length > 0) return { tools, ...writeChoice(request, tools, options) };
  assertCallable(request, tools, options);
  const called = calledTools(request.messages, options.names);
  // A history with calls needs their tools, though none may be called.
  return called.length === 0 ? {} : { tools: called, tool_choice: { type: 'none' } };
}

/** Where the choice is limited to some tools, the others are not sent. */
function allowedTools(
  tools: readonly (FunctionTool | CustomTool)[],
  { toolChoice }: CanonicalRequest,
  { dropped }: Options,
): readonly (FunctionTool | CustomTool)[] {
  if (toolChoice?.type !== 'allowed') return tools;
  const allowed = tools.filter(({ name }) => toolChoice.names.includes(name));
  if (allowed.length > 0) return allowed;
  dropped.drop('toolChoice');
  return tools;
}

function strictTools(tools: readonly CanonicalTool[], { target, model, dropped }: Options): ReadonlySet<CanonicalTool> {
  const asked = tools.filter((tool) => tool.type === 'function' && tool.strict === true);
  const { strictTools: isTaken = true } = target.traits as AnthropicTraits;
  if (isTaken && model.hasStructuredOutput && asked.length <= MAX_STRICT_TOOLS) return new Set(asked);
  if (asked.length > 0) dropped.dropNamed('tools.strict');
  return new Set();
}

function writeTool(
  tool: FunctionTool | CustomTool,
  names: ToolNames,
  { isStrict, isOwn }: { readonly isStrict: boolean; readonly isOwn: boolean },
): JsonObject {
  const { description, cache, extras } = tool;
  const name = names.fit(tool.name);
  const own = isOwn ? extras?.anthropic : undefined;
  // A tool whose schema Claude knows by its type.
  if (typeof own?.['type'] === 'string') return { ...own, name, ...cacheControl(cache) };
  if (tool.type === 'custom') {
    const text = customDescription(tool);
    return {
      name,
      ...(text !== '' && { description: text }),
      input_schema: CUSTOM_TOOL_PARAMETERS,
      ...cacheControl(cache),
    };
  }
  const schema = inputSchema(tool.parameters);
  return {
    name,
    ...(description !== undefined && description !== '' && { description }),
    input_schema: isStrict ? structuredSchema(schema) : schema,
    ...(isStrict && { strict: true }),
    ...own,
    ...cacheControl(cache),
  };
}

function writeChoice(
  request: CanonicalRequest,
  tools: readonly JsonObject[],
  options: Options,
): { tool_choice?: JsonObject } {
  const { toolChoice, parallelToolCalls } = request;
  assertCallable(request, tools, options);
  const serial = parallelToolCalls === false ? { disable_parallel_tool_use: true } : {};
  switch (toolChoice?.type) {
    case undefined:
      return parallelToolCalls === false ? { tool_choice: { type: 'auto', ...serial } } : {};
    case 'none':
      return { tool_choice: { type: 'none' } };
    case 'tool':
      return { tool_choice: { type: 'tool', name: options.names.fit(toolChoice.name), ...serial } };
    case 'required':
      return { tool_choice: { type: 'any', ...serial } };
    case 'allowed':
      return { tool_choice: { type: toolChoice.mode === 'required' ? 'any' : 'auto', ...serial } };
    case 'auto':
      return { tool_choice: { type: 'auto', ...serial } };
  }
}

/** Whether the request demands a call of a tool. */
export function isForced({ toolChoice }: CanonicalRequest): boolean {
  if (toolChoice === undefined) return false;
  return (
    toolChoice.type === 'tool' ||
    toolChoice.type === 'required' ||
    (toolChoice.type === 'allowed' && toolChoice.mode === 'required')
  );
}

function assertCallable(
  request: CanonicalRequest,
  tools: readonly JsonObject[],
  { model, names, dropped }: Options,
): void {
  if (!isForced(request)) return;
  const { toolChoice } = request;
  const wanted = toolChoice?.type === 'tool' ? names.fit(toolChoice.name) : undefined;
  if (tools.length === 0 || (wanted !== undefined && !tools.some(({ name }) => name === wanted))) {
    const left = dropped.names.filter((name) => /^(?:tools|mcp_servers|web_search_options)/.test(name)).slice(0, 10);
    throw invalidRequest(
      left.length === 0
        ? "'tool_choice' demands a function that is not among the tools."
        : `'tool_choice' demands a tool that this model's provider cannot take: ${left.join(', ')}.`,
      'tool_choice',
    );
  }
  if (!model.takesForcedTool) {
    throw unsupportedValue(
      "'tool_choice' demands a tool call, which this model cannot be made to give. Send tool_choice auto, or use another model.",
      'tool_choice',
    );
  }
}

function calledTools(messages: readonly CanonicalMessage[], names: ToolNames): JsonObject[] {
  const called = new Set(
    messages.flatMap(({ blocks }) =>
      blocks.flatMap((block) => (block.type === 'tool_call' ? [names.fit(block.name)] : [])),
    ),
  );
  return [...called].map((name) => ({ name, input_schema: { type: 'object', properties: {} } }));
}
