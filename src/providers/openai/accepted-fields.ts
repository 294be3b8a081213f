import type { AcceptedFields } from '../../config/gateway-config.js';
import type { FieldRules } from '../../wire/openai-chat/field-rules.js';

const setOf = (names: string): ReadonlySet<string> => new Set(names.split(' '));

/** Of OpenAI's platform; servers of open models have nothing behind them. */
const PLATFORM_FIELDS =
  'store service_tier safety_identifier prompt_cache_key prompt_cache_retention verbosity web_search_options modalities audio prediction';
/** What answers of OpenAI and of this gateway carry beside role, content and tool calls. */
const ANSWER_FIELDS =
  'refusal annotations audio images thinking_blocks reasoning_details provider_specific_fields reasoning';

/** https://docs.mistral.ai/api: ChatCompletionRequest and its messages forbid additional properties. */
const MISTRAL: FieldRules = {
  fields: setOf(
    'model messages temperature top_p max_tokens stream stop random_seed metadata response_format tools tool_choice presence_penalty frequency_penalty n prediction parallel_tool_calls prompt_mode reasoning_effort guardrails safe_prompt',
  ),
  renamed: { seed: 'random_seed' },
  messageFields: {
    system: setOf('role content'),
    user: setOf('role content'),
    assistant: setOf('role content tool_calls prefix'),
    tool: setOf('role content tool_call_id name'),
  },
  toolCallFields: setOf('id type function index'),
  takesFunctions: false,
  refusesEmptyTurns: true,
};

/** https://console.groq.com/docs/openai and its API reference: a property that it does not know is a 400. */
const GROQ: FieldRules = {
  fields: setOf(
    'model messages citation_options compound_custom disable_tool_validation documents exclude_domains frequency_penalty function_call functions include_domains include_reasoning max_completion_tokens max_tokens metadata n parallel_tool_calls presence_penalty reasoning_effort reasoning_format response_format search_settings seed service_tier stop store stream stream_options temperature tool_choice tools top_p user',
  ),
  messageFields: {
    system: setOf('role content'),
    developer: setOf('role content'),
    user: setOf('role content'),
    assistant: setOf('role content tool_calls function_call reasoning'),
    tool: setOf('role content tool_call_id'),
    function: setOf('role content name'),
  },
  toolCallFields: setOf('id type function'),
  maxStops: 4,
};

/** https://inference-docs.cerebras.ai/resources/openai: "not supported and will result in a 400 error if they are supplied". */
const CEREBRAS: FieldRules = {
  fields: setOf(
    'model messages clear_thinking disable_reasoning logprobs max_completion_tokens max_tokens min_completion_tokens min_tokens n parallel_tool_calls prediction reasoning_effort reasoning_format response_format seed service_tier stop stream stream_options temperature tool_choice tools top_logprobs top_p user',
  ),
  messageFields: {
    system: setOf('role content name'),
    user: setOf('role content name'),
    assistant: setOf('role content name tool_calls reasoning'),
    tool: setOf('role content tool_call_id name'),
  },
  toolCallFields: setOf('id type function'),
  takesFunctions: false,
  maxStops: 4,
};

/** Its errors name "Extra inputs are not permitted". It takes reasoning_content back, and has tiers and cache keys. */
const FIREWORKS: FieldRules = {
  refusedFields: setOf(
    'store safety_identifier prompt_cache_retention verbosity web_search_options modalities audio strict',
  ),
  refusedMessageFields: setOf(ANSWER_FIELDS),
  takesFunctions: false,
  toolCallFields: setOf('id type function index'),
  maxStops: 4,
};

const TOGETHER: FieldRules = {
  refusedFields: setOf(PLATFORM_FIELDS),
  refusedMessageFields: setOf(`${ANSWER_FIELDS} reasoning_content`),
  takesFunctions: false,
  toolCallFields: setOf('id type function index'),
};

/** NIM validates with closed models: `extra_forbidden`. */
const NVIDIA: FieldRules = {
  refusedFields: setOf(`${PLATFORM_FIELDS} user metadata`),
  refusedMessageFields: setOf(`${ANSWER_FIELDS} reasoning_content`),
  takesFunctions: false,
  toolCallFields: setOf('id type function'),
};

/** What the servers that refuse unknown fields accept. OpenAI itself takes its own answers back; only its limits are here. */
export const FIELD_RULES: Readonly<Record<Exclude<AcceptedFields, 'any'>, FieldRules>> = {
  openai: {
    refusedMessageFields: setOf(
      'thinking_blocks images reasoning_content reasoning reasoning_details provider_specific_fields',
    ),
    toolCallFields: setOf('id type function custom'),
    maxStops: 4,
  },
  mistral: MISTRAL,
  groq: GROQ,
  cerebras: CEREBRAS,
  together: TOGETHER,
  fireworks: FIREWORKS,
  nvidia: NVIDIA,
  deepseek: { takesFunctions: false, maxStops: 16 },
  xai: { takesFunctions: false, maxStops: 4 },
};
