/** OpenAI's Responses API, as strict as api.openai.com. */
import { randomBytes } from 'node:crypto';
import { openAiError, openAiFaults } from './openai-chat.mjs';
import { failedEvents, responseEvents } from './openai-responses-events.mjs';
import { checkInput } from './openai-responses-input.mjs';
import { isObject, namesOf, Refusal, require, unknownKey } from './refusal.mjs';

const FIELDS = namesOf(
  'background client_metadata context_management conversation include input instructions max_output_tokens max_tool_calls metadata model parallel_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_retention reasoning safety_identifier service_tier store stream stream_options temperature text tool_choice tools top_logprobs top_p truncation user',
);
const TOOL_FIELDS = {
  function: namesOf('type name description parameters strict defer_loading'),
  custom: namesOf('type name description format defer_loading'),
};
const HOSTED_TOOLS = namesOf(
  'web_search web_search_preview web_search_preview_2025_03_11 web_search_2025_08_26 image_generation code_interpreter file_search mcp computer computer_use_preview local_shell shell apply_patch tool_search namespace',
);

const newId = (prefix) => `${prefix}_${randomBytes(25).toString('hex')}`;

/** @type {import('./server.mjs').Format['route']} */
function route({ method, path, body }) {
  if (method === 'POST' && path === '/v1/responses') {
    return { kind: 'generate', stream: body?.stream === true, model: body?.model };
  }
  if (method === 'GET' && path === '/v1/models') {
    return {
      kind: 'other',
      response: { object: 'list', data: [{ id: 'gpt-5', object: 'model', created: 1, owned_by: 'openai' }] },
    };
  }
  return undefined;
}

/** @returns {[string, object]} */
const unknownParameter = (path) => [`Unknown parameter: '${path}'.`, { param: path, code: 'unknown_parameter' }];

function checkTools(tools = []) {
  for (const [index, tool] of tools.entries()) {
    if (HOSTED_TOOLS.has(tool.type)) continue;
    const fields = TOOL_FIELDS[tool.type];
    require(fields !==
      undefined, `Invalid value: '${tool.type}'. Supported values are: 'function', 'custom', and others.`, {
      param: `tools[${index}]`,
    });
    const unknown = unknownKey(tool, fields);
    require(unknown === undefined, ...unknownParameter(`tools[${index}].${unknown}`));
    const at = `tools[${index}].name`;
    require(tool.name !== undefined, `Missing required parameter: '${at}'.`, {
      param: at,
      code: 'missing_required_parameter',
    });
    require(/^[a-zA-Z0-9_-]{1,128}$/.test(
      tool.name,
    ), `Invalid '${at}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`, {
      param: at,
    });
    if (tool.type !== 'function') continue;
    const { name, parameters, strict } = tool;
    if (parameters === null || parameters === undefined) continue;
    require(parameters.type ===
      'object', `Invalid schema for function '${name}': schema must be a JSON Schema of 'type: "object"', got 'type: "${parameters.type ?? 'None'}"'.`, {
      code: 'invalid_function_parameters',
    });
    // Without `strict` it is strict where the schema allows it, so only `true` can be refused.
    require(strict !== true ||
      parameters.additionalProperties ===
        false, `Invalid schema for function '${name}': In context=(), 'additionalProperties' is required to be supplied and to be false.`, {
      code: 'invalid_function_parameters',
    });
  }
}

function check(body, { headers, play, stored }) {
  require(/^Bearer ./.test(headers.authorization ?? ''), 'Missing bearer or basic authentication in header', {
    status: 401,
  });
  require(isObject(body), 'We could not parse the JSON body of your request.');
  const unknown = unknownKey(body, FIELDS);
  require(unknown === undefined, ...unknownParameter(unknown ?? ''));
  require(body.model !== undefined, "Missing required parameter: 'model'.", { param: 'model' });
  const isReasoning = /^(?:gpt-5|o\d)/.test(body.model);
  for (const name of ['temperature', 'top_p']) {
    const isRefused = isReasoning && body[name] !== undefined && body[name] !== 1;
    require(!isRefused, `Unsupported parameter: '${name}' is not supported with this model.`, { param: name });
  }
  require(body.reasoning === undefined ||
    body.reasoning === null ||
    isReasoning ||
    body.reasoning.effort === 'none', "Unsupported parameter: 'reasoning.effort' is not supported with this model.", {
    param: 'reasoning.effort',
  });
  const limit = body.max_output_tokens;
  require(limit === undefined ||
    limit === null ||
    limit >=
      16, `Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got ${limit} instead.`, {
    param: 'max_output_tokens',
    code: 'integer_below_min_value',
  });
  const previous = body.previous_response_id;
  require(previous === undefined ||
    previous === null ||
    stored.has(previous), `Previous response with id '${previous}' not found.`, {
    param: 'previous_response_id',
    code: 'previous_response_not_found',
  });
  checkTools(body.tools);
  checkInput(itemsOf(body, stored), body, play);
}

/** The whole input: what the provider kept, and what is new. */
function itemsOf(body, stored) {
  const input =
    typeof body.input === 'string' ? [{ type: 'message', role: 'user', content: body.input }] : (body.input ?? []);
  return [...(stored.get(body.previous_response_id) ?? []), ...input];
}

const textOf = (content) =>
  typeof content === 'string' ? content : (content ?? []).map((part) => part.text ?? part.refusal ?? '').join('');

function argumentsOf(item) {
  if (item.type === 'custom_tool_call') return item.input;
  try {
    return JSON.parse(item.arguments);
  } catch {
    return item.arguments;
  }
}

/** @returns {import('./play.mjs').Conversation} */
function read(body, { stored }) {
  const items = itemsOf(body, stored);
  const tools = [
    ...(body.tools ?? []),
    ...items.filter(({ type }) => type === 'additional_tools').flatMap((item) => item.tools),
  ];
  return {
    tools: tools
      .filter(({ type }) => type === 'function' || type === 'custom')
      .map((tool) => ({ name: tool.name, parameters: tool.parameters, custom: tool.type === 'custom' })),
    calls: items
      .filter(({ type }) => type === 'function_call' || type === 'custom_tool_call')
      .map((item) => ({ id: item.call_id, name: item.name, arguments: argumentsOf(item) })),
    results: items
      .filter(({ type }) => type === 'function_call_output' || type === 'custom_tool_call_output')
      .map((item) => ({ id: item.call_id, text: textOf(item.output) })),
    text: items
      .filter(({ role }) => role === 'user')
      .map(({ content }) => textOf(content))
      .join('\n'),
    schema: body.text?.format?.schema,
    parallel: body.parallel_tool_calls !== false,
  };
}

function outputOf(response, { play, body, model }) {
  const output = [];
  if (response.thinking !== undefined && /^(?:gpt-5|o\d)/.test(model)) {
    const isEncrypted = (body.include ?? []).includes('reasoning.encrypted_content');
    const summary = body.reasoning?.summary === undefined ? [] : [{ type: 'summary_text', text: response.thinking }];
    output.push({
      id: newId('rs'),
      type: 'reasoning',
      summary,
      ...(isEncrypted && { encrypted_content: play.sign(response.thinking) }),
    });
  }
  if (response.text !== '') {
    const content = [{ type: 'output_text', annotations: [], logprobs: [], text: response.text }];
    output.push({ id: newId('msg'), type: 'message', status: 'completed', role: 'assistant', content });
  }
  for (const { id, name, custom, arguments: value } of response.calls) {
    const head = { status: 'completed', call_id: id, name };
    if (custom) output.push({ id: newId('ctc'), type: 'custom_tool_call', ...head, input: value });
    else output.push({ id: newId('fc'), type: 'function_call', ...head, arguments: JSON.stringify(value) });
  }
  return output;
}

const USAGE = {
  input_tokens: 112,
  input_tokens_details: { cached_tokens: 100 },
  output_tokens: 40,
  output_tokens_details: { reasoning_tokens: 8 },
  total_tokens: 152,
};

function responseOf(body, details) {
  return {
    id: newId('resp'),
    object: 'response',
    created_at: Math.floor(Date.now() / 1000),
    status: 'completed',
    background: false,
    error: null,
    incomplete_details: null,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    model: body.model,
    output: [],
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: body.previous_response_id ?? null,
    prompt_cache_key: body.prompt_cache_key ?? null,
    reasoning: { effort: body.reasoning?.effort ?? 'medium', summary: body.reasoning?.summary ?? null },
    service_tier: 'default',
    store: body.store ?? true,
    temperature: 1,
    text: { format: { type: 'text' }, verbosity: 'medium' },
    tool_choice: body.tool_choice ?? 'auto',
    tools: body.tools ?? [],
    top_p: 1,
    truncation: body.truncation ?? 'disabled',
    usage: null,
    metadata: {},
    ...details,
  };
}

function write(reply, context) {
  const { body, stored } = context;
  const response = responseOf(body, { output: outputOf(reply, context), usage: USAGE });
  if (body.store !== false) stored.set(response.id, [...itemsOf(body, stored), ...response.output]);
  return response;
}

/** @type {import('./server.mjs').Format} */
export const openAiResponses = {
  name: 'openai-responses',
  route,
  check,
  read,
  newId: () => `call_${randomBytes(12).toString('hex')}`,
  write,
  stream: (response, context) => responseEvents(write(response, context)),
  streamType: 'text/event-stream; charset=utf-8',
  error: openAiError,
  streamedError: ({ message, code }, { body }) =>
    failedEvents(responseOf(body, { status: 'in_progress' }), { code, message }),
  faults: {
    ...openAiFaults,
    overflow: () =>
      new Refusal('Your input exceeds the context window of this model. Please adjust your input and try again.', {
        code: 'context_length_exceeded',
        param: 'input',
      }),
  },
};
