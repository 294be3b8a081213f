/** Bedrock's Converse API with a Claude model, as strict as bedrock-runtime. */
import { randomBytes } from 'node:crypto';
import { checkMessages } from './bedrock-messages.mjs';
import { eventFrame } from './event-stream.mjs';
import { isObject, namesOf, Refusal, require, unknownKey } from './refusal.mjs';

const FIELDS = namesOf(
  'messages system inferenceConfig toolConfig guardrailConfig additionalModelRequestFields additionalModelResponseFieldPaths promptVariables requestMetadata performanceConfig serviceTier outputConfig',
);
/** Claude's own fields; everything else is extraneous. */
const MODEL_FIELDS = namesOf(
  'thinking anthropic_beta top_k tool_choice output_config stop_sequences metadata context_management reasoning_config',
);

/** @type {import('./server.mjs').Format['route']} */
function route({ method, path }) {
  const [, model, action] = path.match(/^\/model\/([^/]+)\/(converse|converse-stream)$/) ?? [];
  if (method !== 'POST' || action === undefined) return undefined;
  return { kind: 'generate', stream: action === 'converse-stream', model: decodeURIComponent(model) };
}

function checkTools({ toolConfig, messages, additionalModelRequestFields: extra }) {
  const usesTools = messages.some(({ content }) =>
    content.some((block) => block.toolUse !== undefined || block.toolResult !== undefined),
  );
  require(toolConfig !== undefined ||
    !usesTools, 'The toolConfig field must be defined when using toolUse and toolResult content blocks.');
  if (toolConfig === undefined) return;
  require(toolConfig.tools?.length >
    0, "1 validation error detected: Value at 'toolConfig.tools' failed to satisfy constraint: Member must have length greater than or equal to 1");
  const names = new Set();
  for (const [index, tool] of toolConfig.tools.entries()) {
    if (tool.toolSpec === undefined) continue;
    const { name, description, inputSchema } = tool.toolSpec;
    const unknown = unknownKey(tool.toolSpec, namesOf('name description inputSchema strict'));
    require(unknown ===
      undefined, `Malformed input request: #/toolConfig/tools/${index}/toolSpec: extraneous key [${unknown}] is not permitted, please reformat your input and try again.`);
    require(/^[a-zA-Z0-9_-]{1,64}$/.test(
      name,
    ), `1 validation error detected: Value '${name}' at 'toolConfig.tools.${index + 1}.member.toolSpec.name' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+`);
    require(description !==
      '', `1 validation error detected: Value '' at 'toolConfig.tools.${index + 1}.member.toolSpec.description' failed to satisfy constraint: Member must have length greater than or equal to 1`);
    require(inputSchema?.json?.type ===
      'object', `The value at toolConfig.tools.${index}.toolSpec.inputSchema.json.type must be one of the following: object.`);
    require(!names.has(
      name,
    ), `The tool name ${name} is defined more than once. Remove the duplicate tool and try again.`);
    names.add(name);
  }
  const choice = Object.keys(toolConfig.toolChoice ?? {})[0];
  const isThinking = extra?.thinking !== undefined && extra.thinking.type !== 'disabled';
  require(!isThinking ||
    choice === undefined ||
    choice ===
      'auto', 'The model returned the following errors: Thinking may not be enabled when tool_choice forces tool use.');
}

/** @param {any} body */
function checkParameters({ inferenceConfig: config = {}, additionalModelRequestFields: extra = {} }) {
  const unknown = unknownKey(config, namesOf('maxTokens temperature topP stopSequences'));
  require(unknown ===
    undefined, `Malformed input request: #/inferenceConfig: extraneous key [${unknown}] is not permitted, please reformat your input and try again.`);
  const extraneous = unknownKey(extra, MODEL_FIELDS);
  require(extraneous ===
    undefined, `The model returned the following errors: ${extraneous}: Extra inputs are not permitted`);
  require(config.maxTokens === undefined ||
    config.maxTokens >=
      1, "1 validation error detected: Value at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to 1");
  require(config.temperature === undefined ||
    config.topP ===
      undefined, 'The model returned the following errors: `temperature` and `top_p` cannot both be specified for this model. Please use only one.');
  if (extra.thinking?.type !== 'enabled') return;
  const { budget_tokens: budget } = extra.thinking;
  require(budget >=
    1024, 'The model returned the following errors: thinking.enabled.budget_tokens: Input should be greater than or equal to 1024');
  require(config.maxTokens === undefined ||
    budget <
      config.maxTokens, 'The model returned the following errors: `max_tokens` must be greater than `thinking.budget_tokens`.');
  require(config.temperature === undefined ||
    config.temperature ===
      1, 'The model returned the following errors: `temperature` may only be set to 1 when thinking is enabled.');
}

function check(body, { headers, play }) {
  require(/^(?:AWS4-HMAC-SHA256|Bearer) ./.test(headers.authorization ?? ''), 'Missing Authentication Token', {
    status: 403,
    type: 'MissingAuthenticationTokenException',
  });
  require(isObject(body), 'Malformed input request');
  const unknown = unknownKey(body, FIELDS);
  require(unknown ===
    undefined, `Malformed input request: #: extraneous key [${unknown}] is not permitted, please reformat your input and try again.`);
  require(Array.isArray(body.messages) &&
    body.messages.length >
      0, "1 validation error detected: Value at 'messages' failed to satisfy constraint: Member must have length greater than or equal to 1");
  checkParameters(body);
  checkMessages(body, play);
  checkTools(body);
}

const textOf = (blocks) =>
  (blocks ?? []).map((block) => block.text ?? (block.json === undefined ? '' : JSON.stringify(block.json))).join('');

/** @returns {import('./play.mjs').Conversation} */
function read(body) {
  const blocks = body.messages.flatMap(({ content }) => content);
  return {
    tools: (body.toolConfig?.tools ?? [])
      .filter((tool) => tool.toolSpec !== undefined)
      .map(({ toolSpec }) => ({ name: toolSpec.name, parameters: toolSpec.inputSchema.json })),
    calls: blocks
      .filter((block) => block.toolUse !== undefined)
      .map(({ toolUse }) => ({ id: toolUse.toolUseId, name: toolUse.name, arguments: toolUse.input })),
    results: blocks
      .filter((block) => block.toolResult !== undefined)
      .map(({ toolResult }) => ({ id: toolResult.toolUseId, text: textOf(toolResult.content) })),
    text: body.messages
      .filter(({ role }) => role === 'user')
      .map(({ content }) => textOf(content))
      .join('\n'),
    schema: undefined,
    parallel: body.additionalModelRequestFields?.tool_choice?.disable_parallel_tool_use !== true,
  };
}

function contentOf(response, { play, body }) {
  const content = [];
  const thinking = body.additionalModelRequestFields?.thinking;
  if (response.thinking !== undefined && thinking !== undefined && thinking.type !== 'disabled') {
    content.push({
      reasoningContent: { reasoningText: { text: response.thinking, signature: play.sign(response.thinking) } },
    });
  }
  if (response.text !== '') content.push({ text: response.text });
  for (const { id, name, arguments: input } of response.calls)
    content.push({ toolUse: { toolUseId: id, name, input } });
  return content;
}

const USAGE = {
  inputTokens: 12,
  outputTokens: 40,
  totalTokens: 152,
  cacheReadInputTokens: 100,
  cacheWriteInputTokens: 0,
};

const stopReasonOf = (response) => (response.calls.length > 0 ? 'tool_use' : 'end_turn');

function write(response, context) {
  return {
    output: { message: { role: 'assistant', content: contentOf(response, context) } },
    stopReason: stopReasonOf(response),
    usage: USAGE,
    metrics: { latencyMs: 7 },
  };
}

function* deltasOf(block) {
  if (block.reasoningContent !== undefined) {
    const { text, signature } = block.reasoningContent.reasoningText;
    yield { reasoningContent: { text } };
    yield { reasoningContent: { signature } };
  } else if (block.text !== undefined) {
    for (const text of block.text.match(/.{1,6}/gs)) yield { text };
  } else {
    for (const input of JSON.stringify(block.toolUse.input).match(/.{1,24}/gs)) yield { toolUse: { input } };
  }
}

function* stream(response, context) {
  // Padding hides the length of tokens from who watches the network.
  const frame = (type, payload) =>
    eventFrame(type, { ...payload, p: 'abcdefghijklmnopqrstuvwxyz'.slice(0, 3 + (type.length % 20)) });
  yield frame('messageStart', { role: 'assistant' });
  for (const [contentBlockIndex, block] of contentOf(response, context).entries()) {
    const { toolUse } = block;
    if (toolUse !== undefined) {
      const start = { toolUse: { toolUseId: toolUse.toolUseId, name: toolUse.name } };
      yield frame('contentBlockStart', { start, contentBlockIndex });
    }
    for (const delta of deltasOf(block)) yield frame('contentBlockDelta', { delta, contentBlockIndex });
    yield frame('contentBlockStop', { contentBlockIndex });
  }
  yield frame('messageStop', { stopReason: stopReasonOf(response) });
  yield frame('metadata', { usage: USAGE, metrics: { latencyMs: 7 } });
}

const TYPES = {
  400: 'ValidationException',
  403: 'AccessDeniedException',
  404: 'UnknownOperationException',
  429: 'ThrottlingException',
  500: 'InternalServerException',
  503: 'ServiceUnavailableException',
};

/** @type {import('./server.mjs').Format} */
export const bedrockConverse = {
  name: 'bedrock-converse',
  route,
  check,
  read,
  newId: () => `tooluse_${randomBytes(16).toString('base64url')}`,
  write,
  stream,
  streamType: 'application/vnd.amazon.eventstream',
  error: ({ status, message, type }) => ({
    headers: { 'x-amzn-errortype': `${type ?? TYPES[status]}:http://internal.amazon.com/coral/com.amazon.bedrock/` },
    body: { message },
  }),
  faults: {
    overflow: () => new Refusal('Input is too long for requested model.'),
    'rate-limit': () => new Refusal('Too many tokens, please wait before trying again.', { status: 429 }),
    overload: () => new Refusal('Bedrock is unable to process your request.', { status: 503 }),
  },
};
