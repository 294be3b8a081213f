import type { CanonicalBlock, CanonicalMessage } from '../../operations/chat/canonical/blocks.js';
import type { CanonicalRequest, Reasoning } from '../../operations/chat/canonical/canonical-request.js';
import { fieldName } from '../../operations/chat/canonical/canonical-fields.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { ANTHROPIC } from '../anthropic/anthropic-wire.js';
import { documentMembers, messagesField } from '../dropped-fields.js';
import type { Target, Written } from '../wire-format.js';
import { cachePoint } from './cache-point.js';
import { CONVERSE_DATA, writeBlocks, type BlockOptions } from './write-blocks.js';

/** The traits that this format knows. */
export interface ConverseTraits {
  /** Whether the model is Anthropic's. */
  readonly claude?: boolean;
  /** How the model is asked to think: Nova's `reasoningConfig`, or the `reasoning_effort` of OpenAI's open models. */
  readonly reasoning?: 'nova' | 'effort';
  /** Whether the model takes cache points. */
  readonly cachePoints?: boolean;
}

/** Its calls are text to the client: `Written.toolNames` has no name for it. */
const RESPONSE_TOOL = 'respond_with_json';
const TIERS: ReadonlySet<string> = new Set(['priority', 'default', 'flex', 'reserved']);
const THREE_EFFORTS: Readonly<Record<string, string>> = { minimal: 'low', low: 'low', medium: 'medium' };

/**
 * Converse has the turns, blocks and rules of Anthropic's Messages in other words, so a request is written in that format first.
 *
 * @throws GatewayError 400 for what the model cannot take and the request cannot do without
 */
export function writeRequest(request: CanonicalRequest, target: Target): Written {
  const { claude: isClaude = false, cachePoints = false } = target.traits as ConverseTraits;
  const schema = isClaude ? undefined : schemaOf(request);
  const written = ANTHROPIC.writeRequest(forMessages(request, isClaude, schema !== undefined), {
    ...target,
    traits: {
      urlSources: false,
      structuredOutput: isClaude,
      strictTools: false,
      cacheTtl: isClaude,
      draftOf: 'bedrock-converse',
      anyMedia: true,
    },
  });
  const dropped = new Set([...written.dropped, ...(isClaude ? [] : documentMembers(request, target.client))]);
  const drop = (name: string): void => void dropped.add(name);
  const messages = written.body;
  const withPoints = isClaude || cachePoints;
  const field = messagesField(target.client);
  const body: JsonObject = {
    messages: listOf(messages['messages']).map(({ role, content }) => ({
      role,
      content: writeBlocks(content, { withPoints, withCitations: isClaude, field }),
    })),
    ...systemOf(messages, { withPoints, field }),
    ...inferenceOf(messages, isClaude || request.maxOutputTokens !== undefined),
    ...toolsOf(messages, withPoints, () => drop(fieldName('toolChoice', target.client))),
    ...(schema !== undefined && respondBy(schema)),
    ...tierOf(request, () => drop(fieldName('serviceTier', target.client))),
  };
  const additional = isClaude ? claudeFields(messages) : otherFields(request, target, drop);
  if (Object.keys(additional).length > 0) body['additionalModelRequestFields'] = additional;
  const names = schema === undefined ? written.toolNames : new Map([[RESPONSE_TOOL, '']]);
  return { ...written, body, dropped: [...dropped], ...(names !== undefined && { toolNames: names }) };
}

/** The schema that a response must match, where no tool of the client is in the way. */
function schemaOf({ responseFormat, tools = [] }: CanonicalRequest): Readonly<JsonObject> | undefined {
  return responseFormat?.type === 'json_schema' && tools.length === 0 ? responseFormat.schema : undefined;
}

/** Models without structured outputs keep to a schema where they must call a tool, whose input is then the response. */
function respondBy(schema: Readonly<JsonObject>): JsonObject {
  const toolSpec = { name: RESPONSE_TOOL, description: 'Responds with JSON.', inputSchema: { json: schema } };
  return { toolConfig: { tools: [{ toolSpec }], toolChoice: { tool: { name: RESPONSE_TOOL } } } };
}

/** Without the members for which Converse has its own. Thinking of other models is not Claude's. */
function forMessages(request: CanonicalRequest, isClaude: boolean, isByTool: boolean): CanonicalRequest {
  const { serviceTier: _tier, endUser: _user, reasoning, topK, responseFormat, ...rest } = request;
  const own = isClaude ? { ...(reasoning !== undefined && { reasoning }), ...(topK !== undefined && { topK }) } : {};
  const format = responseFormat === undefined || isByTool ? {} : { responseFormat };
  return { ...rest, ...own, ...format, messages: request.messages.map(withPortableData) };
}

/** Hidden thinking has a form of its own in Converse; it is marked, so that it comes back in the same one. */
function withPortableData(message: CanonicalMessage): CanonicalMessage {
  if (!message.blocks.some(isOwnData)) return message;
  return {
    ...message,
    blocks: message.blocks.map((block) => {
      if (!isOwnData(block) || block.type !== 'thinking' || block.signature === undefined) return block;
      return { ...block, signature: { wire: 'anthropic', value: `${CONVERSE_DATA}${block.signature.value}` } };
    }),
  };
}

function isOwnData(block: CanonicalBlock): boolean {
  return block.type === 'thinking' && block.signature?.wire === 'bedrock-converse';
}

function systemOf({ system }: JsonObject, options: BlockOptions): JsonObject {
  const blocks = writeBlocks(system ?? [], options);
  return blocks.length === 0 ? {} : { system: blocks };
}

function inferenceOf(body: JsonObject, withMaximum: boolean): JsonObject {
  const { max_tokens: maxTokens, temperature, top_p: topP, stop_sequences: stopSequences } = body;
  const config = {
    ...(withMaximum && { maxTokens }),
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
    ...(stopSequences !== undefined && { stopSequences }),
  };
  return Object.keys(config).length === 0 ? {} : { inferenceConfig: config };
}

/** Converse cannot forbid calls, and a history with calls needs their tools. */
function toolsOf(body: JsonObject, withPoints: boolean, dropChoice: () => void): JsonObject {
  const tools = listOf(body['tools']);
  if (tools.length === 0) return {};
  const choice = isObject(body['tool_choice']) ? body['tool_choice'] : {};
  const isForbidden = choice['type'] === 'none';
  const hasCalls = listOf(body['messages']).some(({ content }) =>
    listOf(content).some(({ type }) => type === 'tool_use' || type === 'tool_result'),
  );
  if (isForbidden && !hasCalls) return {};
  if (isForbidden) dropChoice();
  const toolChoice = choiceOf(choice);
  return {
    toolConfig: {
      tools: tools.flatMap((tool) => writeTool(tool, withPoints)),
      ...(toolChoice !== undefined && { toolChoice }),
    },
  };
}

function choiceOf({ type, name }: JsonObject): JsonObject | undefined {
  if (type === 'any') return { any: {} };
  if (type === 'tool') return { tool: { name } };
  return type === 'auto' ? { auto: {} } : undefined;
}

function writeTool(tool: JsonObject, withPoints: boolean): JsonObject[] {
  const { name, description, input_schema: schema, cache_control: cache } = tool;
  const isEmpty = typeof description !== 'string' || description.trim() === '';
  const spec = { name, ...(!isEmpty && { description }), inputSchema: { json: schema } };
  return [{ toolSpec: spec }, ...(withPoints && isObject(cache) ? [cachePoint(cache)] : [])];
}

function tierOf({ serviceTier }: CanonicalRequest, drop: () => void): JsonObject {
  if (serviceTier === undefined || serviceTier === 'auto') return {};
  if (TIERS.has(serviceTier)) return { serviceTier: { type: serviceTier } };
  drop();
  return {};
}

/** Fields that Converse passes on to Claude unchanged. */
function claudeFields({ thinking, output_config: output, top_k: topK, tool_choice: choice }: JsonObject): JsonObject {
  const isSerial = isObject(choice) && choice['disable_parallel_tool_use'] === true;
  return {
    ...(thinking !== undefined && { thinking }),
    ...(output !== undefined && { output_config: output }),
    ...(topK !== undefined && { top_k: topK }),
    ...(isSerial && { tool_choice: choice }),
  };
}

function otherFields(request: CanonicalRequest, target: Target, drop: (name: string) => void): JsonObject {
  if (request.topK !== undefined) drop(fieldName('topK', target.client));
  if (request.reasoning === undefined) return {};
  const fields = reasoningFields(request.reasoning, (target.traits as ConverseTraits).reasoning);
  if (fields === undefined) drop(fieldName('reasoning', target.client));
  return fields ?? {};
}

/** @returns undefined where the model cannot be asked so */
function reasoningFields(
  { effort, budgetTokens }: Reasoning,
  style: ConverseTraits['reasoning'],
): JsonObject | undefined {
  const isOff = effort === 'none' || budgetTokens === 0;
  const level = THREE_EFFORTS[effort ?? 'medium'] ?? 'high';
  if (style === 'nova') {
    return isOff
      ? { reasoningConfig: { type: 'disabled' } }
      : { reasoningConfig: { type: 'enabled', maxReasoningEffort: level } };
  }
  if (style === 'effort' && !isOff) return { reasoning_effort: level };
  return isOff ? {} : undefined;
}

function listOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
