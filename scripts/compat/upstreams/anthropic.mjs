/** Anthropic Messages, as strict as api.anthropic.com. */
import { randomBytes } from 'node:crypto';
import { isObject, namesOf, Refusal, require, unknownKey } from './refusal.mjs';
import { checkTurns } from './anthropic-turns.mjs';

const FIELDS = namesOf(
  'model messages max_tokens metadata stop_sequences stream system temperature thinking tool_choice tools top_k top_p service_tier container context_management mcp_servers output_config output_format speed inference_geo cache_control',
);
const TOOL_FIELDS = namesOf(
  'type name description input_schema cache_control strict defer_loading allowed_callers input_examples eager_input_streaming',
);
const MAX_CACHE_POINTS = 4;

const newId = (prefix) => `${prefix}_01${randomBytes(11).toString('hex')}`;

/** @type {import('./server.mjs').Format['route']} */
function route({ method, path, body }) {
  if (method === 'POST' && path === '/v1/messages') {
    return { kind: 'generate', stream: body?.stream === true, model: body?.model };
  }
  if (method === 'POST' && path === '/v1/messages/count_tokens') {
    return { kind: 'other', response: { input_tokens: Math.ceil(JSON.stringify(body ?? {}).length / 4) } };
  }
  if (method === 'GET' && path === '/v1/models') {
    const data = [
      { type: 'model', id: 'claude-sonnet-4-5', display_name: 'Claude', created_at: '2025-09-29T00:00:00Z' },
    ];
    return { kind: 'other', response: { data, has_more: false, first_id: data[0].id, last_id: data[0].id } };
  }
  return undefined;
}

function checkTools({ tools = [], tool_choice: choice, thinking }) {
  const names = new Set();
  for (const [index, tool] of tools.entries()) {
    if (tool.type !== undefined && tool.type !== 'custom') continue;
    const at = `tools.${index}.custom`;
    const unknown = unknownKey(tool, TOOL_FIELDS);
    require(unknown === undefined, `${at}.${unknown}: Extra inputs are not permitted`);
    require(/^[a-zA-Z0-9_-]{1,128}$/.test(
      tool.name,
    ), `${at}.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`);
    require(!names.has(tool.name), 'tools: Tool names must be unique.');
    names.add(tool.name);
    require(isObject(tool.input_schema), `${at}.input_schema: Field required`);
    require(tool.input_schema.type === 'object', `${at}.input_schema.type: Input should be 'object'`);
    const top = ['oneOf', 'allOf', 'anyOf'].find((key) => key in tool.input_schema);
    require(top ===
      undefined, `${at}.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level`);
    for (const name of Object.keys(tool.input_schema.properties ?? {})) {
      const isValid = /^[a-zA-Z0-9_.-]{1,64}$/.test(name);
      require(isValid, `${at}.input_schema.properties: Property keys should match pattern '^[a-zA-Z0-9_.-]{1,64}$'`);
    }
  }
  if (choice !== undefined)
    require(tools.length > 0, 'tool_choice: tool_choice may only be specified while providing tools');
  const isForced = choice?.type === 'any' || choice?.type === 'tool';
  const isThinking = thinking !== undefined && thinking.type !== 'disabled';
  require(!isForced || !isThinking, 'Thinking may not be enabled when tool_choice forces tool use.');
}

function checkParameters(body) {
  for (const name of ['model', 'messages', 'max_tokens']) require(body[name] !== undefined, `${name}: Field required`);
  const { thinking, max_tokens: limit, temperature, top_p: topP, metadata, output_config: output } = body;
  require(Number.isInteger(limit) && limit > 0, 'max_tokens: Input should be greater than or equal to 1');
  if (temperature !== undefined) require(temperature >= 0 && temperature <= 1, 'temperature: range: 0..1');
  require(temperature === undefined ||
    topP === undefined, '`temperature` and `top_p` cannot both be specified for this model. Please use only one.');
  if (thinking !== undefined) {
    require(['enabled', 'disabled', 'adaptive'].includes(
      thinking.type,
    ), "thinking: Input tag is not one of 'adaptive', 'disabled', 'enabled'");
    const unknown = unknownKey(thinking, namesOf('type budget_tokens display'));
    require(unknown === undefined, `thinking.${thinking.type}.${unknown}: Extra inputs are not permitted`);
  }
  if (thinking?.type === 'enabled') {
    require(thinking.budget_tokens >=
      1024, 'thinking.enabled.budget_tokens: Input should be greater than or equal to 1024');
    require(thinking.budget_tokens < limit, '`max_tokens` must be greater than `thinking.budget_tokens`');
    require(temperature === undefined ||
      temperature === 1, '`temperature` may only be set to 1 when thinking is enabled.');
    require(body.top_k === undefined, '`top_k` must be unset when thinking is enabled.');
  }
  if (metadata !== undefined) {
    const unknown = unknownKey(metadata, namesOf('user_id'));
    require(unknown === undefined, `metadata.${unknown}: Extra inputs are not permitted`);
    require(!/@/.test(metadata.user_id ?? ''), 'metadata.user_id: user_id appears to contain an email address');
  }
  if (output !== undefined) {
    const unknown = unknownKey(output, namesOf('effort format task_budget'));
    require(unknown === undefined, `output_config.${unknown}: Extra inputs are not permitted`);
  }
  for (const stop of body.stop_sequences ?? []) {
    require(stop.trim() !== '', 'stop_sequences: each stop sequence must contain non-whitespace');
  }
}

/** The header and the field that it allows travel together. */
function checkBetas(body, headers) {
  const betas = String(headers['anthropic-beta'] ?? '');
  const needed = {
    context_management: 'context-management',
    mcp_servers: 'mcp-client',
    container: 'skills|code-execution',
  };
  for (const [field, beta] of Object.entries(needed)) {
    if (body[field] === undefined) continue;
    require(new RegExp(beta).test(betas), `${field}: Extra inputs are not permitted`);
  }
}

function check(body, { headers, play }) {
  require(headers['x-api-key'] !== undefined || headers.authorization !== undefined, 'x-api-key header is required', {
    status: 401,
    type: 'authentication_error',
  });
  require(headers['anthropic-version'] !== undefined, 'anthropic-version: header is required');
  require(isObject(body), 'Input should be a valid dictionary');
  const unknown = unknownKey(body, FIELDS);
  require(unknown === undefined, `${unknown}: Extra inputs are not permitted`);
  checkBetas(body, headers);
  checkParameters(body);
  checkTools(body);
  checkTurns(body, String(headers['anthropic-beta'] ?? ''), play);
  const points = JSON.stringify([body.tools, body.system, body.messages]).match(/"cache_control":\{/g)?.length ?? 0;
  require(points <= MAX_CACHE_POINTS, `A maximum of 4 blocks with cache_control may be provided. Found ${points}.`);
}

const blocksOf = (content) => (typeof content === 'string' ? [{ type: 'text', text: content }] : content);
const textOf = (content) =>
  blocksOf(content ?? [])
    .map((block) => block.text ?? '')
    .join('');

/** @returns {import('./play.mjs').Conversation} */
function read(body) {
  const blocks = body.messages.flatMap((message) => blocksOf(message.content));
  return {
    tools: (body.tools ?? []).map((tool) => ({ name: tool.name, parameters: tool.input_schema })),
    calls: blocks
      .filter(({ type }) => type === 'tool_use')
      .map(({ id, name, input }) => ({ id, name, arguments: input })),
    results: blocks
      .filter(({ type }) => type === 'tool_result')
      .map((block) => ({ id: block.tool_use_id, text: textOf(block.content) })),
    text: body.messages
      .filter(({ role }) => role === 'user')
      .map(({ content }) => textOf(content))
      .join('\n'),
    schema: body.output_config?.format?.schema ?? body.output_format?.schema,
    parallel: body.tool_choice?.disable_parallel_tool_use !== true,
  };
}

function contentOf(response, { play, body }) {
  const content = [];
  if (response.thinking !== undefined && body.thinking !== undefined && body.thinking.type !== 'disabled') {
    const thinking = body.thinking.display === 'omitted' ? '' : response.thinking;
    content.push({ type: 'thinking', thinking, signature: play.sign(thinking) });
  }
  if (response.text !== '') content.push({ type: 'text', text: response.text });
  for (const call of response.calls) {
    content.push({ type: 'tool_use', id: call.id, name: call.name, input: call.arguments });
  }
  return content;
}

const usage = (output) => ({
  input_tokens: 12,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 100,
  cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
  output_tokens: output,
  service_tier: 'standard',
});

function write(response, context) {
  return {
    id: newId('msg'),
    type: 'message',
    role: 'assistant',
    model: context.model,
    content: contentOf(response, context),
    stop_reason: response.calls.length > 0 ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: usage(40),
  };
}

function* deltasOf(block) {
  if (block.type === 'thinking') {
    if (block.thinking !== '') yield { type: 'thinking_delta', thinking: block.thinking };
    yield { type: 'signature_delta', signature: block.signature };
  } else if (block.type === 'text') {
    for (const text of block.text.match(/.{1,6}/gs)) yield { type: 'text_delta', text };
  } else {
    yield { type: 'input_json_delta', partial_json: '' };
    for (const part of JSON.stringify(block.input).match(/.{1,24}/gs))
      yield { type: 'input_json_delta', partial_json: part };
  }
}

const EMPTY = { thinking: { thinking: '', signature: '' }, text: { text: '' }, tool_use: { input: {} } };

function* stream(response, context) {
  const message = write(response, context);
  const event = (data) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
  yield event({ type: 'message_start', message: { ...message, content: [], stop_reason: null, usage: usage(1) } });
  yield event({ type: 'ping' });
  for (const [index, block] of message.content.entries()) {
    yield event({ type: 'content_block_start', index, content_block: { ...block, ...EMPTY[block.type] } });
    for (const delta of deltasOf(block)) yield event({ type: 'content_block_delta', index, delta });
    yield event({ type: 'content_block_stop', index });
  }
  const { stop_reason, stop_sequence } = message;
  yield event({ type: 'message_delta', delta: { stop_reason, stop_sequence }, usage: usage(40) });
  yield event({ type: 'message_stop' });
}

const TYPES = {
  401: 'authentication_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
  529: 'overloaded_error',
  500: 'api_error',
};

/** @type {import('./server.mjs').Format} */
export const anthropic = {
  name: 'anthropic',
  route,
  check,
  read,
  newId: () => newId('toolu'),
  write,
  stream,
  streamType: 'text/event-stream; charset=utf-8',
  error: ({ status, type, message }) => {
    const requestId = newId('req');
    const error = { type: type ?? TYPES[status] ?? 'invalid_request_error', message };
    return { headers: { 'request-id': requestId }, body: { type: 'error', error, request_id: requestId } };
  },
  faults: {
    overflow: () => new Refusal('prompt is too long: 210000 tokens > 200000 maximum'),
    'rate-limit': () =>
      new Refusal(
        "This request would exceed your organization's rate limit of 30,000 input tokens per minute. For details, refer to: https://docs.claude.com/en/api/rate-limits.",
        { status: 429, retryAfterSeconds: 1 },
      ),
    overload: () => new Refusal('Overloaded', { status: 529 }),
  },
};
