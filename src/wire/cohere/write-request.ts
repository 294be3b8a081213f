import { invalidRequest } from '../../errors/gateway-error.js';
import type { CanonicalBlock, CanonicalMessage, MediaSource } from '../../operations/chat/canonical/blocks.js';
import type {
  CanonicalRequest,
  CustomTool,
  FunctionTool,
  Reasoning,
  ResponseFormat,
} from '../../operations/chat/canonical/canonical-request.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { DroppedFields } from '../dropped-fields.js';
import { offeredTools } from '../hosted-tools.js';
import { limitStops } from '../openai-chat/ignorable-params.js';
import { repairHistory } from '../repair-history.js';
import { BUDGET_BY_EFFORT } from '../thinking-budgets.js';
import { ToolNames } from '../tool-names.js';
import type { Target, Written } from '../wire-format.js';

/** https://docs.cohere.com/reference/chat, version 2. */
const MAX_STOPS = 5;
/** A function without parameters still needs a schema. */
const NO_PARAMETERS: JsonObject = { type: 'object', properties: {} };
const BUDGETS: Readonly<Record<string, number>> = BUDGET_BY_EFFORT;
/** Fields of clients that the API has under the same name. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  'documents',
  'citation_options',
  'safety_mode',
  'strict_tools',
  'priority',
]);

/** @throws GatewayError 400 for media that Cohere cannot take, and for a demanded tool that it cannot have */
export function writeRequest(request: CanonicalRequest, target: Target): Written {
  const dropped = new DroppedFields(target.client);
  const names = new ToolNames();
  const offered = offeredTools(request, 'cohere', dropped).client;
  const tools = offered.map((tool) => writeTool(tool, names));
  const body: JsonObject = {
    model: target.upstreamModel,
    messages: repairHistory(request.messages).flatMap((message, index) => writeMessage(message, index, names, dropped)),
    ...(request.stream === true && { stream: true }),
  };
  const set = (name: string, value: unknown): void => {
    if (value !== undefined) body[name] = value;
  };
  if (tools.length > 0) {
    set('tools', tools);
    set('tool_choice', writeToolChoice({ ...request, tools: offered }, dropped));
  }
  set('max_tokens', request.maxOutputTokens);
  set('temperature', request.temperature === undefined ? undefined : Math.min(1, request.temperature));
  set('p', request.topP);
  set('k', request.topK);
  set('seed', request.seed);
  set('frequency_penalty', clampPenalty(request.frequencyPenalty));
  set('presence_penalty', clampPenalty(request.presencePenalty));
  set('logprobs', request.logprobs);
  const stops = limitStops(request.stop ?? [], MAX_STOPS);
  for (const name of stops.dropped) dropped.dropNamed(name);
  if (stops.stops.length > 0) set('stop_sequences', stops.stops);
  set('response_format', writeFormat(request.responseFormat));
  set('thinking', writeThinking(request.reasoning, target.upstreamModel, dropped));
  dropRest(request, dropped);
  const own = request.extras?.[target.client] ?? {};
  for (const name of OWN_FIELDS) set(name, own[name]);
  dropped.dropExtras(request, OWN_FIELDS);
  const { map } = names;
  return { body, dropped: dropped.names, ...(map !== undefined && { toolNames: map }) };
}

function dropRest(request: CanonicalRequest, dropped: DroppedFields): void {
  if (request.topLogprobs !== undefined) dropped.drop('topLogprobs');
  if (request.logitBias !== undefined) dropped.drop('logitBias');
  if (request.verbosity !== undefined && request.verbosity !== 'medium') dropped.drop('verbosity');
  if (request.parallelToolCalls === false) dropped.drop('parallelToolCalls');
  if (request.serviceTier !== undefined && !['auto', 'default'].includes(request.serviceTier)) {
    dropped.drop('serviceTier');
  }
  if (request.store === true) dropped.drop('store');
}

/** Penalties are from 0 to 1. */
function clampPenalty(penalty: number | undefined): number | undefined {
  return penalty === undefined ? undefined : Math.min(1, Math.max(0, penalty));
}

function writeTool(tool: FunctionTool | CustomTool, names: ToolNames): JsonObject {
  const description = tool.description === undefined ? {} : { description: tool.description };
  const parameters =
    tool.type === 'custom'
      ? { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] }
      : (tool.parameters ?? NO_PARAMETERS);
  return { type: 'function', function: { name: names.fit(tool.name), ...description, parameters } };
}

/** It can be held to any tool or to none, not to a certain one. */
function writeToolChoice({ toolChoice, tools = [] }: CanonicalRequest, dropped: DroppedFields): string | undefined {
  switch (toolChoice?.type) {
    case 'none':
      return 'NONE';
    case 'required':
      return 'REQUIRED';
    case 'tool':
      if (tools.length === 1) return 'REQUIRED';
      throw invalidRequest(
        `This model's provider cannot be held to one of several tools: send 'tool_choice' as required, or one tool.`,
        'tool_choice',
        'unsupported_parameter',
      );
    case 'allowed':
      dropped.drop('toolChoice');
      return toolChoice.mode === 'required' ? 'REQUIRED' : undefined;
    default:
      return undefined;
  }
}

function writeFormat(format: ResponseFormat | undefined): JsonObject | undefined {
  if (format === undefined || format.type === 'text') return undefined;
  return { type: 'json_object', ...(format.type === 'json_schema' && { json_schema: format.schema }) };
}

function writeThinking(
  reasoning: Reasoning | undefined,
  upstreamModel: string,
  dropped: DroppedFields,
): JsonObject | undefined {
  if (reasoning === undefined) return undefined;
  const { effort, budgetTokens, isAdaptive } = reasoning;
  const isOff = effort === 'none' || budgetTokens === 0;
  if (!upstreamModel.includes('reasoning')) {
    if (!isOff) dropped.drop('reasoning');
    return undefined;
  }
  if (isOff) return { type: 'disabled' };
  const budget = budgetTokens ?? (effort === undefined ? undefined : (BUDGETS[effort] ?? BUDGET_BY_EFFORT.max));
  return { type: 'enabled', ...(budget !== undefined && isAdaptive !== true && { token_budget: budget }) };
}

function writeMessage(
  { role, blocks }: CanonicalMessage,
  index: number,
  names: ToolNames,
  dropped: DroppedFields,
): JsonObject[] {
  if (role === 'tool') {
    return blocks.flatMap((block) => {
      if (block.type !== 'tool_result') return [];
      const text = block.content.map((part) => ('text' in part ? part.text : `[${part.type}]`)).join('\n');
      return [{ role: 'tool', tool_call_id: block.callId, content: text }];
    });
  }
  if (role !== 'assistant') {
    const content = blocks.flatMap((block) => writePart(block, index, dropped));
    return content.length === 0 ? [] : [{ role: role === 'developer' ? 'system' : role, content: plain(content) }];
  }
  const content: JsonObject[] = [];
  const calls: JsonObject[] = [];
  for (const block of blocks) {
    if (block.type === 'tool_call') {
      const input = block.kind === 'custom' ? JSON.stringify({ input: block.input }) : block.input;
      calls.push({ id: block.id, type: 'function', function: { name: names.fit(block.name), arguments: input } });
    } else if (block.type !== 'thinking') {
      content.push(...writePart(block, index, dropped));
    }
  }
  if (content.length === 0 && calls.length === 0) return [];
  return [
    {
      role,
      ...(content.length > 0 && { content: plain(content) }),
      ...(calls.length > 0 && { tool_calls: calls }),
    },
  ];
}

function plain(parts: readonly JsonObject[]): unknown {
  const [first] = parts;
  return parts.length === 1 && first?.['type'] === 'text' ? first['text'] : parts;
}

/** Empty text is refused. */
function writePart(block: CanonicalBlock, index: number, dropped: DroppedFields): JsonObject[] {
  switch (block.type) {
    case 'text':
    case 'refusal':
      return block.text.trim() === '' ? [] : [{ type: 'text', text: block.text }];
    case 'image': {
      const detail = block.detail === undefined ? {} : { detail: block.detail };
      return [{ type: 'image_url', image_url: { url: addressOf(block.source, index), ...detail } }];
    }
    case 'file':
      if (block.source.kind === 'text') return [{ type: 'text', text: block.source.text }];
      throw cannotTake(block.type, index);
    case 'audio':
    case 'video':
      throw cannotTake(block.type, index);
    case 'opaque':
      dropped.dropBlock(block.name);
      return [];
    case 'thinking':
    case 'tool_call':
    case 'tool_result':
      return [];
  }
}

function addressOf(source: MediaSource, index: number): string {
  if (source.kind === 'url') return source.url;
  if (source.kind === 'base64') return `data:${source.mediaType};base64,${source.data}`;
  throw cannotTake('image', index);
}

function cannotTake(media: string, index: number): Error {
  return invalidRequest(
    `'messages[${index}]': this model's provider takes no ${media} of that kind.`,
    `messages[${index}]`,
    'unsupported_value',
  );
}
