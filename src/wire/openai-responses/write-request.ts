import type { CanonicalField } from '../../operations/chat/canonical/canonical-fields.js';
import type {
  CanonicalRequest,
  CanonicalTool,
  HostedTool,
  Reasoning,
  ResponseFormat,
  ToolChoice,
} from '../../operations/chat/canonical/canonical-request.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { DroppedFields } from '../dropped-fields.js';
import { offeredTools } from '../hosted-tools.js';
import type { Target, Written } from '../wire-format.js';
import { allExtras, extra, RESPONSES } from './item-extras.js';
import { ToolNames } from './tool-names.js';
import { writeItems } from './write-items.js';

/** Members of the extras that are made from the canonical form, or that only the gateway reads. */
const REWRITTEN = new Set([
  ...['tools', 'tool_choice', 'text', 'reasoning', 'instructions', 'include', 'compaction', 'input_is_text'],
]);
/** Fields that the format does not have. */
const ABSENT = [
  'topK',
  'stop',
  'seed',
  'frequencyPenalty',
  'presencePenalty',
  'logitBias',
  'cache',
] as const satisfies readonly CanonicalField[];
/** Least budget of thinking, in tokens, for each effort. */
const EFFORTS = [
  [16_384, 'high'],
  [4_096, 'medium'],
  [1, 'low'],
  [0, 'none'],
] as const;
const ENCRYPTED = 'reasoning.encrypted_content';
const LOGPROBS = 'message.output_text.logprobs';

/**
 * A request for a provider of the Responses API. It keeps nothing there unless the client asked for it, so that reasoning comes
 * back encrypted.
 *
 * @throws GatewayError 400 where the only tools are another provider's
 */
export function writeRequest(request: CanonicalRequest, target: Target): Written {
  const dropped = new DroppedFields(target.client);
  const names = new ToolNames();
  for (const field of ABSENT) if (request[field] !== undefined) dropped.drop(field);
  if (request.choices !== undefined && request.choices > 1) dropped.drop('choices');
  const { systemPrompt, messages } = splitInstructions(request);
  const offered = offeredTools(request, RESPONSES, dropped);
  const tools = writeTools(request.tools ?? [], names);
  const { reasoning, logprobs, topLogprobs, store = false } = request;
  const include = [
    ...(!store && reasoning !== undefined && reasoning.effort !== 'none' ? [ENCRYPTED] : []),
    ...(logprobs === true ? [LOGPROBS] : []),
  ];
  const extras = Object.fromEntries(Object.entries(allExtras(request)).filter(([name]) => !REWRITTEN.has(name)));
  const body: JsonObject = {
    ...extras,
    model: target.upstreamModel,
    ...(systemPrompt !== undefined && { instructions: systemPrompt }),
    input: writeItems(messages, names, (name) => dropped.dropNamed(name)),
    ...(request.stream !== undefined && { stream: request.stream }),
    ...(tools.length > 0 && { tools }),
    ...writeToolChoice(request.toolChoice, [...offered.hosted, ...offered.client], names),
    ...(request.parallelToolCalls !== undefined && { parallel_tool_calls: request.parallelToolCalls }),
    ...(request.maxOutputTokens !== undefined && { max_output_tokens: request.maxOutputTokens }),
    ...(request.temperature !== undefined && { temperature: request.temperature }),
    ...(request.topP !== undefined && { top_p: request.topP }),
    ...(topLogprobs !== undefined && { top_logprobs: topLogprobs }),
    ...writeText(request.responseFormat, request.verbosity),
    ...writeReasoning(reasoning),
    ...(request.serviceTier !== undefined && { service_tier: request.serviceTier }),
    ...(request.promptCacheKey !== undefined && { prompt_cache_key: request.promptCacheKey }),
    ...(request.endUser !== undefined && { user: request.endUser }),
    ...(request.metadata !== undefined && { metadata: request.metadata }),
    store,
    ...(include.length > 0 && { include }),
  };
  if (target.client !== RESPONSES) dropped.dropExtras(request);
  return { body, dropped: dropped.names, ...(names.changed.size > 0 && { toolNames: names.changed }) };
}

/** The prompt that the client sent as `instructions`, apart from the messages. */
function splitInstructions({
  messages,
}: CanonicalRequest): Pick<CanonicalRequest, 'messages'> & { systemPrompt?: string } {
  const [first, ...others] = messages;
  if (extra(first, 'instructions') !== true) return { messages };
  const systemPrompt = (first?.blocks ?? []).map((block) => (block.type === 'text' ? block.text : '')).join('\n\n');
  return { messages: others, systemPrompt };
}

/** Tools in the order of the request. Those of other providers are left out. */
function writeTools(tools: readonly CanonicalTool[], names: ToolNames): JsonObject[] {
  const written: JsonObject[] = [];
  const namespaces = new Map<string, JsonObject[]>();
  for (const tool of tools) {
    if (tool.type === 'hosted') {
      if (tool.wire === RESPONSES) written.push(tool.value);
      continue;
    }
    const raw = extra(tool, 'tool');
    if (isObject(raw)) {
      written.push(raw);
      continue;
    }
    const namespace = extra(tool, 'namespace');
    if (typeof namespace !== 'string') {
      written.push(writeTool(tool, names.write(tool.name), tool.description));
      continue;
    }
    const [name, description] = [extra(tool, 'name'), extra(tool, 'description')];
    const inner = writeTool(tool, String(name), typeof description === 'string' ? description : undefined);
    const others = namespaces.get(namespace);
    if (others !== undefined) others.push(inner);
    else {
      const entries = [inner];
      namespaces.set(namespace, entries);
      written.push({
        type: 'namespace',
        name: namespace,
        description: extra(tool, 'namespace_description') ?? '',
        tools: entries,
      });
    }
  }
  return written;
}

function writeTool(
  tool: Exclude<CanonicalTool, HostedTool>,
  name: string,
  description: string | undefined,
): JsonObject {
  const deferred = extra(tool, 'defer_loading');
  const own = {
    type: tool.type,
    name,
    ...(description !== undefined && { description }),
    ...(deferred !== undefined && { defer_loading: deferred }),
  };
  if (tool.type === 'custom') return { ...own, ...(tool.format !== undefined && { format: tool.format }) };
  // The default of the format is strict, which schemas that were not written for it do not meet.
  return { ...own, parameters: tool.parameters ?? { type: 'object', properties: {} }, strict: tool.strict ?? false };
}

function writeToolChoice(
  choice: ToolChoice | undefined,
  tools: readonly CanonicalTool[],
  names: ToolNames,
): JsonObject {
  if (choice === undefined || tools.length === 0) return {};
  const one = (name: string): JsonObject => {
    const tool = tools.find((each) => each.name === name);
    if (tool === undefined) return { type: 'function', name: names.write(name) };
    const raw = extra(tool.type === 'hosted' ? undefined : tool, 'tool');
    if (tool.type === 'hosted' || isObject(raw)) return { type: name };
    const [own, namespace] = [extra(tool, 'name'), extra(tool, 'namespace')];
    if (typeof own === 'string' && typeof namespace === 'string') return { type: tool.type, name: own, namespace };
    return { type: tool.type, name: names.write(name) };
  };
  switch (choice.type) {
    case 'tool':
      return { tool_choice: one(choice.name) };
    case 'allowed':
      return { tool_choice: { type: 'allowed_tools', mode: choice.mode, tools: choice.names.map(one) } };
    default:
      return { tool_choice: choice.type };
  }
}

function writeText(format: ResponseFormat | undefined, verbosity: string | undefined): JsonObject {
  if (format === undefined && verbosity === undefined) return {};
  return {
    text: {
      ...(format !== undefined && { format: writeFormat(format) }),
      ...(verbosity !== undefined && { verbosity }),
    },
  };
}

/** A response format in the form of the Responses API. */
export function writeFormat(format: ResponseFormat): JsonObject {
  if (format.type !== 'json_schema') return { type: format.type };
  const { type, name = 'response', description, schema, strict } = format;
  return {
    type,
    name,
    ...(description !== undefined && { description }),
    schema,
    ...(strict !== undefined && { strict }),
  };
}

function writeReasoning(reasoning: Reasoning | undefined): JsonObject {
  if (reasoning === undefined) return {};
  const { effort = effortOf(reasoning.budgetTokens), isShown } = reasoning;
  if (effort === undefined && isShown !== true) return {};
  return {
    reasoning: {
      ...(effort !== undefined && { effort: effort === 'max' ? 'xhigh' : effort }),
      ...(isShown === true && { summary: 'auto' }),
    },
  };
}

function effortOf(budget: number | undefined): string | undefined {
  if (budget === undefined) return undefined;
  return EFFORTS.find(([least]) => budget >= least)?.[1];
}
