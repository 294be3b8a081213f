import { createHash } from 'node:crypto';
import type { CanonicalField } from '../../operations/chat/canonical/canonical-fields.js';
import { fieldName } from '../../operations/chat/canonical/canonical-fields.js';
import type { CanonicalRequest, ResponseFormat } from '../../operations/chat/canonical/canonical-request.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { DroppedFields } from '../dropped-fields.js';
import { asksForDefault } from '../openai-chat/ignorable-params.js';
import { ToolNames } from '../tool-names.js';
import type { Target, Written } from '../wire-format.js';
import { cacheControl, limitBreakpoints } from './cache-breakpoints.js';
import { claudeModel, type ClaudeModel } from './claude-model.js';
import { structuredSchema } from './structured-schema.js';
import { ownFormat, type AnthropicTraits } from './traits.js';
import { writeMessages } from './write-messages.js';
import { writeThinking } from './write-thinking.js';
import { writeTools } from './write-tools.js';

const JSON_INSTRUCTION = 'Answer with one JSON object and nothing else: no Markdown fence, no word before or after it.';
/** Parameters that the Messages API does not have. */
const UNKNOWN_FIELDS: readonly CanonicalField[] = [
  'frequencyPenalty',
  'presencePenalty',
  'seed',
  'logprobs',
  'topLogprobs',
  'logitBias',
];
/** Longer ids of end users are refused. */
const MAX_USER_ID_CHARACTERS = 256;
/** An e-mail address or a telephone number, which Anthropic refuses as the id of an end user. */
const IDENTIFYING = /@|^\+?\d[\d ().-]{6,}$/;
/** Anthropic's tiers by OpenAI's names; others have no counterpart. */
const TIERS: Readonly<Record<string, string>> = {
  auto: 'auto',
  priority: 'auto',
  default: 'standard_only',
  standard: 'standard_only',
  standard_only: 'standard_only',
};

/** @throws GatewayError 400 for what Claude cannot take and the request cannot do without */
export function writeRequest(request: CanonicalRequest, target: Target): Written {
  const model = claudeModel(target.upstreamModel);
  const dropped = new DroppedFields(target.client);
  const names = new ToolNames();
  const maxTokens = maxTokensOf(request, target, model, dropped);
  const { tools, tool_choice: choice } = writeTools(request, { target, model, names, dropped });
  const { thinking, effort } = writeThinking(request, { model, maxTokens, target, dropped });
  const written = writeMessages(request.messages, { target, names, dropped });
  const format = writeFormat(request.responseFormat, target, model, dropped);
  const system = [
    ...written.system,
    ...(format.instruction === undefined ? [] : [{ type: 'text', text: format.instruction }]),
  ];
  const isOwn = target.client === 'anthropic' && ownFormat(target) === 'anthropic';
  const own = isOwn ? request.extras?.anthropic : undefined;
  const config = {
    ...configOf(own),
    ...(effort !== undefined && { effort }),
    ...(format.schema !== undefined && { format: format.schema }),
  };
  const isThinking = thinking !== undefined && thinking['type'] !== 'disabled';
  const body: JsonObject = {
    ...own,
    model: target.upstreamModel,
    max_tokens: maxTokens,
    ...(system.length > 0 && { system }),
    messages: written.messages,
    ...(tools !== undefined && { tools }),
    ...(choice !== undefined && { tool_choice: choice }),
    ...(thinking !== undefined && { thinking }),
    ...(Object.keys(config).length > 0 && { output_config: config }),
    ...writeSampling(request, isThinking, model, dropped),
    ...writeStops(request, dropped, target),
    ...writeTier(request, dropped),
    ...(request.endUser !== undefined && { metadata: { user_id: userId(request.endUser) } }),
    ...cacheControl(request.cache),
    ...(request.stream === true && { stream: true }),
  };
  if (Object.keys(config).length === 0) delete body['output_config'];
  const { cacheTtl = true } = target.traits as AnthropicTraits;
  limitBreakpoints(body, { client: target.client, takesTtl: cacheTtl, dropped });
  dropUnknown(request, dropped);
  // A draft keeps what documents have.
  if (!isOwn) dropped.dropExtras({ ...request, messages: [] });
  const { map } = names;
  return { body, dropped: dropped.names, ...(map !== undefined && { toolNames: map }) };
}

function configOf(own: Readonly<JsonObject> | undefined): JsonObject {
  const config = own?.['output_config'];
  return typeof config === 'object' && config !== null ? { ...config } : {};
}

/** Anthropic wants a maximum; without one it is the model's own. */
function maxTokensOf(
  { maxOutputTokens }: CanonicalRequest,
  target: Target,
  model: ClaudeModel,
  dropped: DroppedFields,
): number {
  const most = target.maxOutputTokens ?? model.maxOutputTokens;
  if (maxOutputTokens === undefined) return most;
  if (maxOutputTokens > most && target.client !== 'anthropic') {
    dropped.drop('maxOutputTokens');
    return most;
  }
  return target.client === 'anthropic' ? maxOutputTokens : Math.max(1, maxOutputTokens);
}

/** Temperature, top_p and top_k exclude thinking, and the first two each other; newer models take none of them. */
function writeSampling(
  { temperature, topP, topK }: CanonicalRequest,
  isThinking: boolean,
  model: ClaudeModel,
  dropped: DroppedFields,
): JsonObject {
  const isFree = model.takesSampling && !isThinking;
  const sampling: JsonObject = {};
  if (temperature !== undefined && isFree) sampling['temperature'] = Math.min(1, Math.max(0, temperature));
  if (temperature !== undefined && temperature !== 1 && (!isFree || temperature > 1 || temperature < 0)) {
    dropped.drop('temperature');
  }
  const takesTopP = isFree && temperature === undefined;
  if (topP !== undefined && takesTopP) sampling['top_p'] = topP;
  else if (topP !== undefined && topP !== 1) dropped.drop('topP');
  if (topK !== undefined && isFree) sampling['top_k'] = topK;
  else if (topK !== undefined) dropped.drop('topK');
  return sampling;
}

function writeStops({ stop = [] }: CanonicalRequest, dropped: DroppedFields, { client }: Target): JsonObject {
  const kept = stop.filter((text) => text.trim() !== '');
  stop.forEach((text, index) => {
    if (text.trim() === '') dropped.dropNamed(`${fieldName('stop', client)}[${index}]`);
  });
  return kept.length === 0 ? {} : { stop_sequences: kept };
}

function writeTier({ serviceTier }: CanonicalRequest, dropped: DroppedFields): JsonObject {
  if (serviceTier === undefined) return {};
  const tier = Object.hasOwn(TIERS, serviceTier) ? TIERS[serviceTier] : undefined;
  if (tier === undefined) dropped.drop('serviceTier');
  // OpenAI's `auto` and `default` are what happens anyway.
  return tier === undefined || serviceTier === 'default' ? {} : { service_tier: tier };
}

/** The id as it is; one that says who the user is, or that is too long, becomes a hash, the same each time. */
function userId(id: string): string {
  if (id.length <= MAX_USER_ID_CHARACTERS && !IDENTIFYING.test(id)) return id;
  return `user_${createHash('sha256').update(id).digest('hex')}`;
}

interface WrittenFormat {
  readonly schema?: JsonObject;
  readonly instruction?: string;
}

function writeFormat(
  format: ResponseFormat | undefined,
  target: Target,
  model: ClaudeModel,
  dropped: DroppedFields,
): WrittenFormat {
  if (format === undefined) return {};
  if (format.type !== 'json_schema') return format.type === 'text' ? {} : { instruction: JSON_INSTRUCTION };
  const { structuredOutput = true } = target.traits as AnthropicTraits;
  if (structuredOutput && model.hasStructuredOutput) {
    return { schema: { type: 'json_schema', schema: structuredSchema(format.schema) } };
  }
  // The model is asked for it in words, which is no guarantee.
  dropped.drop('responseFormat');
  return { instruction: `${JSON_INSTRUCTION} It must match this JSON schema:\n${JSON.stringify(format.schema)}` };
}

function dropUnknown(request: CanonicalRequest, dropped: DroppedFields): void {
  for (const field of UNKNOWN_FIELDS) if (request[field as keyof CanonicalRequest] !== undefined) dropped.drop(field);
  if (request.store === true) dropped.drop('store');
  if (!asksForDefault('verbosity', request.verbosity)) dropped.drop('verbosity');
}
