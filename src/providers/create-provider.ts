import type { ProviderConfig, RoutingSettings } from '../config/gateway-config.js';
import { authorizerOf } from './credentials/authorize.js';
import { batchApiOf } from './batch-api/batch-api-of.js';
import { CombinedProvider } from './combined-provider.js';
import { JsonOperations } from './json-operations/json-operations.js';
import { objectOf, type JsonObject } from '../runtime/json-value.js';
import type { ChatFormat, ModelListRequest, StreamEvent, TokenCounting } from './definitions/types/chat-format.js';
import { LIMIT_HEADERS, OPENAI_TYPE, responsesUrl } from './definitions/openai.js';
import { definitionAt, definitionOfType, speaksOpenAi } from './definitions/registry.js';
import { MediaOperations } from './media-operations/media-operations.js';
import type { Provider, ProviderOptions } from './provider.js';
import { OpenAiProvider, type OpenAiTarget } from './openai/openai-provider.js';
import { CompletionsRouter } from './wire-chat/completions-router.js';
import { ResponsesRouter } from './wire-chat/responses-router.js';
import { WireProvider } from './wire-chat/wire-provider.js';
import { SandboxProvider } from './sandbox/sandbox-provider.js';

/** `GET {base URL}/models` with a bearer key, as OpenAI has it. */
const MODEL_LIST: ModelListRequest = {
  url: (baseUrl) => `${baseUrl}/models`,
  headers: (apiKey) => ({ authorization: `Bearer ${apiKey}` }),
};

/** https://platform.openai.com/docs/api-reference/responses/input-tokens */
const COUNTED_MEMBERS: ReadonlySet<string> = new Set([
  ...['model', 'input', 'instructions', 'previous_response_id', 'conversation', 'tools', 'tool_choice'],
  ...['parallel_tool_calls', 'reasoning', 'text', 'truncation'],
]);

/** The options of every provider beside its own entry. */
export function providerOptions({ maxAnswerSize, timeouts }: RoutingSettings['upstream']): ProviderOptions {
  return { maxResponseBytes: maxAnswerSize, connectTimeoutMs: timeouts.connect };
}

/** The adapter of a configured provider, as its definition says. */
export function createProvider(provider: ProviderConfig, options: ProviderOptions): Provider {
  if (definitionOfType(provider.type)?.adapter === 'built-in')
    return new CompletionsRouter(new ResponsesRouter(new SandboxProvider(provider.name)));
  const chat = new CompletionsRouter(chatOf(provider, options), completionsOf(provider, options), provider.completions);
  const parts = [new JsonOperations(provider, options), new MediaOperations(provider, options)];
  return new CombinedProvider(chat, parts, batchApiOf(provider, options));
}

/** Chat in whichever format the client has, by the provider's own API for it where there is one. */
function chatOf(config: ProviderConfig, options: ProviderOptions): Provider {
  const { responses = 'off' } = config;
  const definition = definitionOfType(config.type);
  if (definition === undefined || !speaksOpenAi(config.type) || responses === 'off') {
    return new ResponsesRouter(ownChatOf(config, options));
  }
  const endpoint = { path: (definition.responsesUrl ?? responsesUrl)(config) };
  const chat: ChatFormat = {
    wire: 'openai-responses',
    endpoint: () => endpoint,
    modelList: MODEL_LIST,
    countTokens: responsesTokenCounting(endpoint.path),
    responseHeaders: definition.compatible?.responseHeaders ?? LIMIT_HEADERS,
  };
  const native = new WireProvider({ ...definition, chat }, config, options);
  if (responses === 'all') return new ResponsesRouter(native, native);
  return new ResponsesRouter(ownChatOf(config, options), native, responses === 'assumed');
}

/** The legacy completions of a server of OpenAI's format; undefined where it is not to be asked for them. */
function completionsOf(config: ProviderConfig, options: ProviderOptions): Provider | undefined {
  const definition = definitionOfType(config.type);
  if (definition === undefined || !speaksOpenAi(config.type) || config.completions === 'off') return undefined;
  const urlOf = definition.operationUrl?.(config) ?? belowBase(config);
  const chat: ChatFormat = {
    wire: 'openai-completions',
    endpoint: ({ upstreamModel }) => ({ path: urlOf('/completions', upstreamModel) }),
    fitBody: withUsageOption,
    isHidden: isUnwantedUsage,
    makesChoices: true,
    responseHeaders: definition.compatible?.responseHeaders ?? LIMIT_HEADERS,
  };
  return new WireProvider({ ...definition, chat }, config, options);
}

/** A query of the base URL belongs to every request. */
function belowBase({ baseUrl }: ProviderConfig): (path: string) => string {
  return (path) => {
    const url = new URL(baseUrl);
    url.pathname = `${url.pathname.replace(/\/+$/, '')}${path}`;
    return url.href;
  };
}

/** A stream is billed by its usage, also where the client did not ask for it. */
function withUsageOption(body: JsonObject): JsonObject {
  if (body['stream'] !== true) return body;
  return { ...body, stream_options: { ...objectOf(body['stream_options']), include_usage: true } };
}

/** The chunk with usage alone, for a client that did not ask for it. */
function isUnwantedUsage({ data }: StreamEvent, body: Readonly<JsonObject>): boolean {
  return objectOf(body['stream_options'])['include_usage'] !== true && /"choices"\s*:\s*\[\s*\]/.test(data);
}

/** `POST /responses/input_tokens`, which takes a part of the members of a request. */
function responsesTokenCounting(responses: string): TokenCounting {
  const url = new URL(responses);
  url.pathname += '/input_tokens';
  const endpoint = { path: url.href };
  return {
    endpoint: () => endpoint,
    fitBody: (body) => Object.fromEntries(Object.entries(body).filter(([name]) => COUNTED_MEMBERS.has(name))),
    read: ({ input_tokens: tokens }) => tokens,
  };
}

function ownChatOf(config: ProviderConfig, options: ProviderOptions): Provider {
  const definition = definitionOfType(config.type);
  if (speaksOpenAi(config.type)) return new OpenAiProvider(config, options, openAiTargetOf(config));
  if (definition?.chat === undefined) throw new Error(`There is no provider format of type ${config.type}.`);
  return new WireProvider({ ...definition, chat: definition.chat }, config, options);
}

/** What OpenAI's format has of its own at a provider. */
function openAiTargetOf(config: ProviderConfig): OpenAiTarget {
  const definition = definitionOfType(config.type);
  const isKnown = config.type !== OPENAI_TYPE ? definition : definitionAt(config.baseUrl);
  const hasModelList = isKnown?.compatible?.hasModelList !== false;
  const { responseHeaders = LIMIT_HEADERS } = isKnown?.compatible ?? {};
  if (definition?.operationUrl === undefined) return { hasModelList, responseHeaders };
  return {
    hasModelList,
    responseHeaders,
    url: definition.operationUrl(config),
    authorize: authorizerOf(definition.credentials, config),
  };
}
