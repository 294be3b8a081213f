/** OpenAI's chat completions, as strict as api.openai.com. */
import { randomBytes } from 'node:crypto';
import { isObject, namesOf, Refusal, require, unknownKey } from './refusal.mjs';

const FIELDS = namesOf(
  'model messages audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens metadata modalities n parallel_tool_calls prediction presence_penalty prompt_cache_key prompt_cache_retention reasoning_effort response_format safety_identifier seed service_tier stop store stream stream_options temperature tool_choice tools top_logprobs top_p user verbosity web_search_options',
);
const MESSAGE_FIELDS = {
  system: namesOf('role content name'),
  developer: namesOf('role content name'),
  user: namesOf('role content name'),
  assistant: namesOf('role content name refusal annotations audio tool_calls function_call'),
  tool: namesOf('role content tool_call_id'),
};
const MAX_ID_CHARACTERS = 40;

const newId = (prefix) => prefix + randomBytes(12).toString('base64url').replaceAll(/[-_]/g, 'x');

/** @type {import('./server.mjs').Format['route']} */
export function routeOfChat({ method, path, body }) {
  if (method === 'POST' && path === '/v1/chat/completions') {
    return { kind: 'generate', stream: body?.stream === true, model: body?.model };
  }
  if (method === 'GET' && path === '/v1/models') {
    const data = [{ id: 'gpt-4.1', object: 'model', created: 1_744_316_542, owned_by: 'openai' }];
    return { kind: 'other', response: { object: 'list', data } };
  }
  return undefined;
}

function checkTools({ tools, tool_choice: choice, parallel_tool_calls: parallel }) {
  if (tools === undefined) {
    require(choice === undefined ||
      choice === 'none', "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.");
    require(parallel ===
      undefined, "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified.");
    return;
  }
  require(tools.length >
    0, "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.");
  for (const [index, tool] of tools.entries()) {
    require(tool.type === 'function' ||
      tool.type === 'custom', `Invalid value: '${tool.type}'. Supported values are: 'function' and 'custom'.`);
    if (tool.type === 'custom') continue;
    const unknown = unknownKey(tool.function, namesOf('name description parameters strict'));
    require(unknown === undefined, `Unknown parameter: 'tools[${index}].function.${unknown}'.`);
    const { name, parameters } = tool.function;
    require(/^[a-zA-Z0-9_-]{1,64}$/.test(
      name,
    ), `Invalid 'tools[${index}].function.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`);
    if (parameters === undefined) continue;
    require(parameters?.type ===
      'object', `Invalid schema for function '${name}': schema must be a JSON Schema of 'type: "object"', got 'type: "${parameters?.type ?? 'None'}"'.`);
    require(tool.function.strict !== true ||
      parameters.additionalProperties ===
        false, `Invalid schema for function '${name}': In context=(), 'additionalProperties' is required to be supplied and to be false.`);
  }
}

function checkContent({ role, content, tool_calls: calls }, at) {
  if (role === 'assistant') {
    require(typeof content === 'string' ||
      Array.isArray(content) ||
      calls?.length > 0, `Invalid value for 'content': expected a string, got null.`);
  } else {
    require(content !== undefined && content !== null, `Invalid value for 'content': expected a string, got null.`);
  }
  if (!Array.isArray(content)) return;
  require(content.length >
    0, `Invalid '${at}.content': empty array. Expected an array with minimum length 1, but got an empty array instead.`);
  const kinds = { user: 'text image_url input_audio file', assistant: 'text refusal' }[role] ?? 'text';
  for (const [index, part] of content.entries()) {
    require(namesOf(kinds).has(
      part.type,
    ), `Invalid value: '${part.type}'. Supported values are: '${kinds.replaceAll(' ', "', '")}'.`);
    const unknown = unknownKey(part, namesOf('type text refusal image_url input_audio file'));
    require(unknown === undefined, `Unknown parameter: '${at}.content[${index}].${unknown}'.`);
  }
}

function checkCalls(calls, at) {
  require(calls.length >
    0, `Invalid '${at}.tool_calls': empty array. Expected an array with minimum length 1, but got an empty array instead.`);
  for (const [index, call] of calls.entries()) {
    const unknown = unknownKey(call, namesOf('id type function custom'));
    require(unknown === undefined, `Unknown parameter: '${at}.tool_calls[${index}].${unknown}'.`);
    const { id } = call;
    require(typeof id === 'string' && id !== '', `Missing required parameter: '${at}.tool_calls[${index}].id'.`);
    require(id.length <=
      MAX_ID_CHARACTERS, `Invalid '${at}.tool_calls[${index}].id': string too long. Expected a string with maximum length 40, but got a string with length ${id.length} instead.`);
    require(typeof (call.function?.arguments ?? call.custom?.input) ===
      'string', `Missing required parameter: '${at}.tool_calls[${index}].function.arguments'.`);
  }
}

/** Every call has its result in the messages right behind it, and nothing stands between them. */
export function checkResultsFollowCalls(messages) {
  for (const [index, message] of messages.entries()) {
    const calls = message.role === 'assistant' ? (message.tool_calls ?? []) : [];
    const results = [];
    for (let next = index + 1; messages[next]?.role === 'tool'; next += 1) results.push(messages[next].tool_call_id);
    const missing = calls.map(({ id }) => id).filter((id) => !results.includes(id));
    require(missing.length ===
      0, `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${missing.join(', ')}`);
    if (message.role !== 'tool') continue;
    let before = index - 1;
    while (messages[before]?.role === 'tool') before -= 1;
    const isKnown = messages[before]?.tool_calls?.some(({ id }) => id === message.tool_call_id) === true;
    require(isKnown, "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.");
  }
}

/** @param {any} body */
function check(body, { headers }) {
  require(/^Bearer ./.test(headers.authorization ?? ''), "You didn't provide an API key.", { status: 401 });
  require(isObject(body), 'We could not parse the JSON body of your request.');
  const unknown = unknownKey(body, FIELDS);
  require(unknown === undefined, `Unrecognized request argument supplied: ${unknown}`);
  require(body.stream_options === undefined ||
    body.stream === true, "The 'stream_options' parameter is only allowed when 'stream' is enabled.");
  require(!(
    Array.isArray(body.stop) && body.stop.length > 4
  ), "Invalid 'stop': array too long. Expected an array with maximum length 4.");
  require(body.reasoning_effort === undefined ||
    !/^gpt-4/.test(body.model), 'Unrecognized request argument supplied: reasoning_effort');
  require(body.max_tokens === undefined ||
    body.max_completion_tokens ===
      undefined, "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.");
  require(Array.isArray(body.messages) &&
    body.messages.length >
      0, "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.");
  checkTools(body);
  for (const [index, message] of body.messages.entries()) {
    const at = `messages[${index}]`;
    const fields = MESSAGE_FIELDS[message.role];
    require(fields !==
      undefined, `Invalid value: '${message.role}'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.`);
    const unknownField = unknownKey(message, fields);
    require(unknownField ===
      undefined, `Additional properties are not allowed ('${unknownField}' was unexpected) - '${at}'`);
    checkContent(message, at);
    if (message.tool_calls !== undefined) checkCalls(message.tool_calls, at);
  }
  checkResultsFollowCalls(body.messages);
}

const textOf = (content) =>
  typeof content === 'string' ? content : (content ?? []).map((part) => part.text ?? '').join('');

function argumentsOf(call) {
  if (call.custom !== undefined) return call.custom.input;
  try {
    return JSON.parse(call.function.arguments);
  } catch {
    return call.function.arguments;
  }
}

/** @returns {import('./play.mjs').Conversation} */
export function readChat(body) {
  const format = body.response_format;
  return {
    tools: (body.tools ?? []).map((tool) => ({
      name: tool.function?.name ?? tool.custom?.name,
      parameters: tool.function?.parameters,
      custom: tool.type === 'custom',
    })),
    calls: body.messages
      .flatMap((message) => message.tool_calls ?? [])
      .map((call) => ({ id: call.id, name: call.function?.name ?? call.custom?.name, arguments: argumentsOf(call) })),
    results: body.messages
      .filter(({ role }) => role === 'tool')
      .map((message) => ({ id: message.tool_call_id, text: textOf(message.content) })),
    text: body.messages
      .filter(({ role }) => role === 'user')
      .map(({ content }) => textOf(content))
      .join('\n'),
    schema: format?.json_schema?.schema ?? (format?.type === 'json_object' ? { type: 'object' } : undefined),
    parallel: body.parallel_tool_calls !== false,
  };
}

export function toolCallOf({ id, name, custom, arguments: value }) {
  if (custom) return { id, type: 'custom', custom: { name, input: value } };
  return { id, type: 'function', function: { name, arguments: JSON.stringify(value) } };
}

export const chatUsage = {
  prompt_tokens: 112,
  completion_tokens: 40,
  total_tokens: 152,
  prompt_tokens_details: { cached_tokens: 100, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: 0,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
};

export function chatHead(context, object) {
  return { id: newId('chatcmpl-'), object, created: Math.floor(Date.now() / 1000), model: context.model };
}

function write(response, context) {
  const calls = response.calls.map(toolCallOf);
  const message = { role: 'assistant', content: response.text || null, refusal: null, annotations: [] };
  return {
    ...chatHead(context, 'chat.completion'),
    service_tier: 'default',
    system_fingerprint: 'fp_44709d6fcb',
    choices: [
      {
        index: 0,
        message: calls.length > 0 ? { ...message, tool_calls: calls } : message,
        logprobs: null,
        finish_reason: calls.length > 0 ? 'tool_calls' : 'stop',
      },
    ],
    usage: chatUsage,
  };
}

function* stream(response, context) {
  const head = {
    ...chatHead(context, 'chat.completion.chunk'),
    service_tier: 'default',
    system_fingerprint: 'fp_44709d6fcb',
  };
  const wantsUsage = context.body.stream_options?.include_usage === true;
  const event = (choices, usage = null) =>
    `data: ${JSON.stringify({ ...head, choices, ...(wantsUsage && { usage }) })}\n\n`;
  const chunk = (delta, finish = null) => event([{ index: 0, delta, logprobs: null, finish_reason: finish }]);
  yield chunk({ role: 'assistant', content: response.calls.length > 0 ? null : '', refusal: null });
  for (const text of response.text.match(/.{1,6}/gs) ?? []) yield chunk({ content: text });
  for (const [index, call] of response.calls.entries()) {
    const whole = toolCallOf(call);
    const key = call.custom ? 'input' : 'arguments';
    const value = whole[whole.type];
    yield chunk({ tool_calls: [{ index, ...whole, [whole.type]: { ...value, [key]: '' } }] });
    for (const part of value[key].match(/.{1,24}/gs))
      yield chunk({ tool_calls: [{ index, [whole.type]: { [key]: part } }] });
  }
  yield chunk({}, response.calls.length > 0 ? 'tool_calls' : 'stop');
  if (wantsUsage) yield event([], chatUsage);
  yield 'data: [DONE]\n\n';
}

export function openAiError({ message, type, code, param }) {
  return { body: { error: { message, type: type ?? 'invalid_request_error', param, code } } };
}

export const openAiFaults = {
  overflow: () =>
    new Refusal(
      "This model's maximum context length is 128000 tokens. However, your messages resulted in 210000 tokens. Please reduce the length of the messages.",
      { code: 'context_length_exceeded', param: 'messages' },
    ),
  'rate-limit': () =>
    new Refusal(
      'Rate limit reached for gpt-4.1 in organization org-x on tokens per min (TPM): Limit 30000, Used 29500, Requested 1500. Please try again in 1s. Visit https://platform.openai.com/account/rate-limits to learn more.',
      { status: 429, type: 'tokens', code: 'rate_limit_exceeded', retryAfterSeconds: 1 },
    ),
  overload: () =>
    new Refusal(
      'The server is currently overloaded with other requests. Sorry about that! You can retry your request.',
      {
        status: 503,
        type: 'server_error',
      },
    ),
};

/** @type {import('./server.mjs').Format} */
export const openAiChat = {
  name: 'openai-chat',
  route: routeOfChat,
  check,
  read: readChat,
  newId: () => newId('call_'),
  write,
  stream,
  streamType: 'text/event-stream; charset=utf-8',
  error: openAiError,
  faults: openAiFaults,
};
