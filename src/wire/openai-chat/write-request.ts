import type {
  CanonicalRequest,
  CustomTool,
  FunctionTool,
  Reasoning,
  ResponseFormat,
  ToolChoice,
} from '../../operations/chat/canonical/canonical-request.js';
import type { ChatRequest } from '../../operations/chat/chat-completion.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { CUSTOM_TOOL_PARAMETERS, customDescription } from '../custom-tool.js';
import { DroppedFields } from '../dropped-fields.js';
import { offeredTools } from '../hosted-tools.js';
import { repairHistory } from '../repair-history.js';
import { effortOfBudget } from '../thinking-budgets.js';
import { ToolNames } from '../tool-names.js';
import type { Target, Written } from '../wire-format.js';
import { writeMessages } from './write-messages.js';

/** A function without parameters still needs a schema. */
const NO_PARAMETERS: JsonObject = { type: 'object', properties: {} };

/** The traits that this format knows. Each is absent for a server of which nothing more is known. */
export interface OpenAiChatTraits {
  /** Whether signed thinking goes along in `thinking_blocks`: for clients, not for servers. */
  readonly thinkingBlocks?: boolean;
  /** Whether the server reads `cache_control`. */
  readonly cacheHints?: boolean;
  /** Whether the server has custom tools, as OpenAI alone has. */
  readonly customTools?: boolean;
}

/** @throws GatewayError 400 for a tool that only another provider runs, where there is no other */
export function writeRequest(request: CanonicalRequest, target: Target): Written & { readonly body: ChatRequest } {
  const { thinkingBlocks = false, cacheHints = false, customTools = false } = target.traits as OpenAiChatTraits;
  const dropped = new DroppedFields(target.client);
  const names = new ToolNames();
  const { client, hosted } = offeredTools(request, 'openai-chat', dropped);
  const tools = [
    ...client.map((tool) => writeTool(tool, names, { cacheHints, customTools })),
    ...hosted.map(({ value }) => ({ ...value })),
  ];
  const options = { names, dropped, thinkingBlocks, cacheHints, customTools };
  const body: ChatRequest = {
    model: target.upstreamModel,
    messages: writeMessages(repairHistory(request.messages), options),
  };
  const set = (name: string, value: unknown): void => {
    if (value !== undefined) body[name] = value;
  };
  if (tools.length > 0) {
    set('tools', tools);
    set('tool_choice', writeToolChoice(request.toolChoice, names));
    set('parallel_tool_calls', request.parallelToolCalls);
  }
  set('max_completion_tokens', request.maxOutputTokens);
  set('temperature', request.temperature);
  set('top_p', request.topP);
  set('top_k', request.topK);
  set('n', request.choices);
  set('seed', request.seed);
  set('stop', request.stop);
  set('presence_penalty', request.presencePenalty);
  set('frequency_penalty', request.frequencyPenalty);
  set('logprobs', request.logprobs);
  set('top_logprobs', request.topLogprobs);
  set('logit_bias', request.logitBias);
  set('response_format', writeResponseFormat(request.responseFormat));
  set('reasoning_effort', effortOf(request.reasoning));
  set('verbosity', request.verbosity);
  set('service_tier', request.serviceTier);
  set('prompt_cache_key', request.promptCacheKey);
  set('user', request.endUser);
  set('metadata', request.metadata);
  set('store', request.store);
  if (request.cache !== undefined && cacheHints) set('cache_control', { type: 'ephemeral', ...request.cache });
  if (request.stream === true) {
    body.stream = true;
    body.stream_options = { include_usage: true };
  }
  const own = request.extras?.['openai-chat'];
  if (own !== undefined) Object.assign(body, own);
  if (target.client !== 'openai-chat') dropped.dropExtras(request);
  const { map } = names;
  return { body, dropped: dropped.names, ...(map !== undefined && { toolNames: map }) };
}

/** `reasoning_effort` for any way to say how much the model thinks; undefined leaves it to the model. */
export function effortOf(reasoning: Reasoning | undefined): string | undefined {
  if (reasoning === undefined) return undefined;
  const { effort, budgetTokens, isAdaptive } = reasoning;
  if (effort !== undefined) return effort === 'max' ? 'xhigh' : effort;
  if (isAdaptive === true || budgetTokens === undefined) return undefined;
  return budgetTokens === 0 ? undefined : effortOfBudget(budgetTokens);
}

function writeTool(
  tool: FunctionTool | CustomTool,
  names: ToolNames,
  { cacheHints, customTools }: { cacheHints: boolean; customTools: boolean },
): JsonObject {
  const name = names.fit(tool.name);
  const described = tool.description === undefined ? {} : { description: tool.description };
  const hinted = cacheHints && tool.cache !== undefined ? { cache_control: { type: 'ephemeral', ...tool.cache } } : {};
  if (tool.type === 'custom') {
    const format = tool.format === undefined ? {} : { format: tool.format };
    if (customTools) return { type: 'custom', custom: { name, ...described, ...format }, ...hinted };
    const description = customDescription(tool);
    return { type: 'function', function: { name, description, parameters: CUSTOM_TOOL_PARAMETERS }, ...hinted };
  }
  const parameters = tool.parameters ?? NO_PARAMETERS;
  const strict = tool.strict === undefined ? {} : { strict: tool.strict };
  return { type: 'function', function: { name, ...described, parameters, ...strict }, ...hinted };
}

function writeToolChoice(choice: ToolChoice | undefined, names: ToolNames): unknown {
  if (choice === undefined) return undefined;
  switch (choice.type) {
    case 'tool':
      return { type: 'function', function: { name: names.fit(choice.name) } };
    case 'allowed': {
      const tools = choice.names.map((name) => ({ type: 'function', function: { name: names.fit(name) } }));
      return { type: 'allowed_tools', allowed_tools: { mode: choice.mode, tools } };
    }
    default:
      return choice.type;
  }
}

function writeResponseFormat(format: ResponseFormat | undefined): JsonObject | undefined {
  if (format === undefined) return undefined;
  if (format.type !== 'json_schema') return { type: format.type };
  const { type, name = 'response', description, schema, strict } = format;
  return {
    type,
    json_schema: {
      name,
      ...(description !== undefined && { description }),
      schema,
      ...(strict !== undefined && { strict }),
    },
  };
}
