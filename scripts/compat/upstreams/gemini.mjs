/** Gemini's API, as strict as generativelanguage.googleapis.com. */
import { randomBytes } from 'node:crypto';
import { checkContents } from './gemini-contents.mjs';
import { checkNames, checkSchema } from './gemini-schema.mjs';
import { isObject, namesOf, Refusal, require } from './refusal.mjs';

const FIELDS = namesOf(
  'contents tools toolConfig safetySettings systemInstruction generationConfig cachedContent model labels serviceTier store',
);
const GENERATION_FIELDS = namesOf(
  'stopSequences responseMimeType responseSchema responseJsonSchema _responseJsonSchema responseModalities candidateCount maxOutputTokens temperature topP topK seed presencePenalty frequencyPenalty responseLogprobs logprobs enableEnhancedCivicAnswers speechConfig thinkingConfig imageConfig mediaResolution',
);
const DECLARATION_FIELDS = namesOf(
  'name description behavior parameters parametersJsonSchema response responseJsonSchema',
);
const TOOL_FIELDS = namesOf(
  'functionDeclarations googleSearchRetrieval codeExecution googleSearch computerUse urlContext fileSearch googleMaps mcpServers',
);

/** @type {import('./server.mjs').Format['route']} */
function route({ method, path, query, body }) {
  const [, model, action] = path.match(/^\/v1(?:beta)?\/models\/([^/:]+):(\w+)$/) ?? [];
  if (method === 'POST' && action === 'generateContent') return { kind: 'generate', stream: false, model };
  if (method === 'POST' && action === 'streamGenerateContent' && query.get('alt') === 'sse') {
    return { kind: 'generate', stream: true, model };
  }
  if (method === 'POST' && action === 'countTokens') {
    return { kind: 'other', response: { totalTokens: Math.ceil(JSON.stringify(body ?? {}).length / 4) } };
  }
  if (method === 'GET' && /^\/v1(?:beta)?\/models$/.test(path)) {
    return {
      kind: 'other',
      response: { models: [{ name: 'models/gemini-3-pro-preview', supportedGenerationMethods: ['generateContent'] }] },
    };
  }
  return undefined;
}

function checkTools(tools = []) {
  for (const [index, tool] of tools.entries()) {
    checkNames(tool, TOOL_FIELDS, `tools[${index}]`);
    const names = new Set();
    for (const [place, declaration] of (tool.functionDeclarations ?? []).entries()) {
      const at = `tools[${index}].function_declarations[${place}]`;
      checkNames(declaration, DECLARATION_FIELDS, at);
      const { name, parameters, parametersJsonSchema } = declaration;
      require(/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$/.test(
        name,
      ), `* GenerateContentRequest.${at}.name: Invalid function name. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 128.`);
      require(!names.has(name), `Duplicate function declaration found: ${name}`);
      names.add(name);
      require(parameters === undefined ||
        parametersJsonSchema ===
          undefined, `* GenerateContentRequest.${at}: parameters and parameters_json_schema may not both be set.`);
      if (parameters !== undefined) checkSchema(parameters, `${at}.parameters`);
    }
  }
}

function checkGeneration(config = {}) {
  checkNames(config, GENERATION_FIELDS, 'generation_config');
  const { thinkingConfig: thinking, stopSequences: stops = [], responseMimeType: type } = config;
  require(stops.length <=
    5, '* GenerateContentRequest.generation_config.stop_sequences: at most 5 stop sequences are supported.');
  const hasSchema = (config.responseSchema ?? config.responseJsonSchema ?? config._responseJsonSchema) !== undefined;
  require(!hasSchema ||
    /json|enum/.test(
      type ?? '',
    ), "* GenerateContentRequest.generation_config.response_schema: only allowed when mime type is 'application/json'");
  if (config.responseSchema !== undefined) checkSchema(config.responseSchema, 'generation_config.response_schema');
  if (thinking === undefined) return;
  checkNames(thinking, namesOf('includeThoughts thinkingBudget thinkingLevel'), 'generation_config.thinking_config');
  const level = thinking.thinkingLevel;
  require(level === undefined ||
    ['THINKING_LEVEL_UNSPECIFIED', 'MINIMAL', 'LOW', 'MEDIUM', 'HIGH'].includes(
      String(level).toUpperCase(),
    ), `Invalid value at 'generation_config.thinking_config.thinking_level': "${level}"`);
  require(level === undefined ||
    thinking.thinkingBudget === undefined, 'You can only set only one of thinking budget and thinking level.');
}

function check(body, { headers, play, model }) {
  const key = headers['x-goog-api-key'] ?? headers.authorization;
  require(key !==
    undefined, "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.", {
    status: 403,
    type: 'PERMISSION_DENIED',
  });
  require(isObject(body), 'Invalid JSON payload received.');
  checkNames(body, FIELDS, '');
  checkTools(body.tools);
  checkGeneration(body.generationConfig);
  const calling = body.toolConfig?.functionCallingConfig;
  if (calling !== undefined) {
    checkNames(
      calling,
      namesOf('mode allowedFunctionNames streamFunctionCallArguments'),
      'tool_config.function_calling_config',
    );
    const hasTools = (body.tools ?? []).some((tool) => tool.functionDeclarations?.length > 0);
    require(hasTools || calling.mode !== 'ANY', 'Function calling config is set without function_declarations.');
    require(calling.allowedFunctionNames === undefined ||
      calling.mode === 'ANY' ||
      calling.mode === 'VALIDATED', 'Function calling mode must be ANY when allowed function names are set.');
  }
  checkContents(body, model, play);
}

const textOf = (parts) => (parts ?? []).map((part) => (part.thought === true ? '' : (part.text ?? ''))).join('');

/**
 * Ids are optional in this format: without them calls and results belong together by their order.
 * @returns {import('./play.mjs').Conversation}
 */
function read(body) {
  const calls = [];
  const results = [];
  for (const { parts } of body.contents) {
    for (const { functionCall: call, functionResponse: result } of parts) {
      if (call !== undefined)
        calls.push({ id: call.id ?? `#${calls.length}`, name: call.name, arguments: call.args ?? {} });
      if (result !== undefined)
        results.push({ id: result.id ?? `#${results.length}`, text: textOfResult(result.response) });
    }
  }
  const config = body.generationConfig ?? {};
  return {
    tools: (body.tools ?? [])
      .flatMap((tool) => tool.functionDeclarations ?? [])
      .map((each) => ({ name: each.name, parameters: each.parametersJsonSchema ?? each.parameters })),
    calls,
    results,
    text: body.contents
      .filter(({ role }) => role !== 'model')
      .map(({ parts }) => textOf(parts))
      .join('\n'),
    schema: config.responseJsonSchema ?? config._responseJsonSchema ?? config.responseSchema,
    parallel: true,
  };
}

/** All texts of the response, in any member. */
function textOfResult(response) {
  if (typeof response === 'string') return response;
  return Object.values(response ?? {})
    .map((value) => (isObject(value) ? textOfResult(value) : typeof value === 'string' ? value : JSON.stringify(value)))
    .join('\n');
}

function partsOf(response, { play, body }) {
  /** @type {any[]} */
  const parts = [];
  if (response.thinking !== undefined && body.generationConfig?.thinkingConfig?.includeThoughts === true) {
    parts.push({ text: response.thinking, thought: true });
  }
  if (response.text !== '') parts.push({ text: response.text });
  for (const [index, call] of response.calls.entries()) {
    const part = { functionCall: { name: call.name, args: call.arguments, id: call.id } };
    // The first call of a step carries the signature for all of them.
    parts.push(index === 0 ? { ...part, thoughtSignature: play.sign(`${call.name}`) } : part);
  }
  return parts;
}

function chunkOf(parts, { model }, isLast) {
  return {
    candidates: [{ content: { parts, role: 'model' }, ...(isLast && { finishReason: 'STOP' }), index: 0 }],
    usageMetadata: {
      promptTokenCount: 112,
      ...(isLast && { candidatesTokenCount: 32, thoughtsTokenCount: 8, cachedContentTokenCount: 100 }),
      totalTokenCount: isLast ? 152 : 112,
      promptTokensDetails: [{ modality: 'TEXT', tokenCount: 112 }],
    },
    modelVersion: model,
    responseId: randomBytes(12).toString('base64url'),
  };
}

function* stream(response, context) {
  const event = (chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`;
  for (const part of partsOf(response, context)) {
    if (part.text === undefined) yield event(chunkOf([part], context, false));
    else for (const text of part.text.match(/.{1,10}/gs)) yield event(chunkOf([{ ...part, text }], context, false));
  }
  yield event(chunkOf([{ text: '' }], context, true));
}

const STATUSES = {
  400: 'INVALID_ARGUMENT',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
};

/** @type {import('./server.mjs').Format} */
export const gemini = {
  name: 'gemini',
  route,
  check,
  read,
  newId: () => randomBytes(4).toString('hex'),
  write: (response, context) => chunkOf(partsOf(response, context), context, true),
  stream,
  streamType: 'text/event-stream',
  error: ({ status, message, type }) => {
    const details =
      status === 429 ? [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1s' }] : undefined;
    return { body: { error: { code: status, message, status: type ?? STATUSES[status], details } } };
  },
  faults: {
    overflow: () =>
      new Refusal('The input token count (1210000) exceeds the maximum number of tokens allowed (1048576).'),
    'rate-limit': () =>
      new Refusal(
        'You exceeded your current quota, please check your plan and billing details. For more information on this error, head over to: https://ai.google.dev/gemini-api/docs/rate-limits.\n* Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 5\nPlease retry in 1s.',
        { status: 429 },
      ),
    overload: () => new Refusal('The model is overloaded. Please try again later.', { status: 503 }),
  },
};
