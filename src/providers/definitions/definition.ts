import type { AwsLogin } from './logins/aws-login.js';
import type { EntraLogin } from './logins/entra-login.js';
import type { GoogleLogin } from './logins/google-login.js';
import type { WireName } from '../../runtime/wire-name.js';
import type { JsonObject } from '../../runtime/json-value.js';

/** How a provider authenticates requests. */
export type CredentialsKind =
  /** `authorization: Bearer <api key>`; nothing without a key, as for servers on the own machine. */
  | 'bearer'
  /** The API key in the header `x-api-key`. */
  | 'x-api-key'
  /** The API key in the header `api-key`. */
  | 'api-key'
  /** The API key in the header `x-goog-api-key`. */
  | 'x-goog-api-key'
  /** An API key as a bearer token, otherwise a signature (SigV4) with AWS keys: `readAwsLogin` finds them. */
  | 'aws'
  /** An API key in `x-goog-api-key`, otherwise a token of a credentials file or of the machine's own login: `readGoogleLogin`. */
  | 'google-cloud'
  /** An API key in the header `api-key`, otherwise a token of Microsoft Entra ID: `readEntraLogin`. */
  | 'api-key-or-entra'
  /** The same with the API key in the header `x-api-key`. */
  | 'x-api-key-or-entra'
  | 'none';

/** Where servers that speak OpenAI's format differ from OpenAI, so that one request suits them all. */
export interface Quirks {
  /** The only name of the token limit that the server honors; undefined where it knows both. */
  readonly tokenLimit?: 'max_tokens' | 'max_completion_tokens';
  /** Whether the server knows the role `developer`. If not, it is sent as `system`. Default true. */
  readonly developerRole?: boolean;
  /** Whether the server takes `stream_options`. If not, it must report usage in streams by itself. Default true. */
  readonly streamOptions?: boolean;
  /** The provider whose `fields` the server accepts; others are dropped and named. Default `any`: unknown fields pass through. */
  readonly accepts?: string;
  /** The provider whose format of embeddings the server has. Default: what is known of the server, else OpenAI's. */
  readonly embeddings?: string;
  /** The format of its reranking, without `-rerank`. Default: what is known of the server, else Jina's, which vLLM has too. */
  readonly rerank?: string;
}

/** What most servers of open models have in common: the older name of the limit and the older role. */
export const OPEN_MODEL_QUIRKS: Quirks = { tokenLimit: 'max_tokens', developerRole: false };

/** What a server takes of OpenAI's chat request. A set that is absent sets no rule. */
export interface FieldRules {
  /** All fields of the request that the server knows; it refuses any other. */
  readonly fields?: ReadonlySet<string>;
  /** Fields of the request that the server is known to refuse, where it has no closed list. */
  readonly refusedFields?: ReadonlySet<string>;
  /** The server's own names for OpenAI's fields. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** All fields of a message that the server knows, by role. Roles that are absent have no rule. */
  readonly messageFields?: Readonly<Record<string, ReadonlySet<string>>>;
  /** Fields of messages that the server is known to refuse, where it has no closed list. */
  readonly refusedMessageFields?: ReadonlySet<string>;
  /** All fields of a tool call in a history. */
  readonly toolCallFields?: ReadonlySet<string>;
  /** Letters and digits that ids of tool calls have, no more and no less. Others are replaced, the same ones always alike. */
  readonly callIdLength?: number;
  /** Whether an assistant message without text and tool calls is refused. */
  readonly refusesEmptyTurns?: boolean;
  /** False where it knows `tools` alone, and not the deprecated `functions`. */
  readonly takesFunctions?: false;
  /** Most stop sequences. */
  readonly maxStops?: number;
}

/** A set of names, separated by spaces. */
export function namesOf(names: string): ReadonlySet<string> {
  return new Set(names.split(' '));
}

/** Request fields of OpenAI's platform. Servers of open models have nothing behind them. */
export const PLATFORM_FIELDS =
  'store service_tier safety_identifier prompt_cache_key prompt_cache_retention verbosity web_search_options modalities audio prediction';
/** What responses of OpenAI and of this gateway carry beside role, content and tool calls. */
export const RESPONSE_FIELDS =
  'refusal annotations audio images thinking_blocks reasoning_details provider_specific_fields reasoning';

const CLAUDE = /(?:^|[./])claude-/;

/** Whether a model of a cloud that runs models of several makers is Anthropic's. */
export function isClaude(modelId: string): boolean {
  return CLAUDE.test(modelId);
}

/** What the clouds need beside a key and an address; each only where its type has it. */
export interface CloudSettings {
  /** Bedrock: the AWS region. Vertex AI: the location, `global` by default. */
  readonly region?: string;
  /** Vertex AI: the Google Cloud project. */
  readonly project?: string;
  /** Google Cloud: path of a file with credentials; without it, what the machine is logged in as. */
  readonly credentialsFile?: string;
  readonly google?: GoogleLogin;
  /** AWS, where there is no API key and the keys are those of the entry or of the environment. */
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
  /** AWS, where there is no API key. */
  readonly aws?: AwsLogin;
  /** Azure, where there is no API key. */
  readonly entra?: EntraLogin;
  /** Azure: `v1` by default; a dated version uses the addresses of deployments. */
  readonly apiVersion?: string;
}

/** Keys of an entry under `providers:` that only clouds have. */
export const CLOUD_KEYS = [
  'region',
  'project',
  'credentials_file',
  'resource_name',
  'api_version',
  'access_key_id',
  'secret_access_key',
  'session_token',
  'profile',
  'role_arn',
  'web_identity_token_file',
  'tenant_id',
  'client_id',
  'client_secret',
  'client_certificate_file',
  'federated_token_file',
  'managed_identity',
  'token_scope',
] as const;
export type CloudKey = (typeof CLOUD_KEYS)[number];

/** What an entry and the environment say of where a provider is and who calls it. */
export interface ConnectionInput {
  readonly entry: Readonly<Partial<Record<CloudKey, string>>>;
  /** Of the entry. */
  readonly apiKey: string | undefined;
  readonly baseUrl: string | undefined;
  /** Reads an environment variable; undefined where it is unset or empty. */
  readonly variable: (name: string) => string | undefined;
}

/** The published price of a model that is not billed by tokens, in US dollars. */
export interface UnitPrice {
  readonly charactersPerMillion?: number;
  /** The entry that names most of what the image has applies. */
  readonly images?: readonly { readonly size?: string; readonly quality?: string; readonly perImage: number }[];
}

/** A variable that entries of one type read; it becomes a row of docs/configuration.md. Texts are Markdown. */
export interface ProviderVariable {
  /** What the variable is, as a noun phrase without a full stop. */
  readonly description: string;
  readonly default?: string;
  /** What holds where the variable is not set and there is no default. Default: `none`. */
  readonly without?: string;
  readonly example?: string;
  /** What to write, where "text" says too little. */
  readonly form?: string;
  readonly secret?: true;
}

export interface Connection {
  readonly apiKey: string | undefined;
  readonly baseUrl: string | undefined;
  readonly cloud: CloudSettings;
  /** What is missing, by the key of the entry that would give it. */
  readonly faults: readonly { readonly key: CloudKey | 'api_key'; readonly message: string }[];
}

/** The provider's own list of models. */
export interface ModelListRequest {
  /** The URL, from the base URL. */
  readonly url: (baseUrl: string) => string;
  readonly headers: (apiKey: string) => Record<string, string>;
}

/** One call of chat at a provider, as far as its address depends on it. */
export interface ChatEndpointCall {
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly cloud?: CloudSettings | undefined;
  readonly upstreamModel: string;
  readonly isStream: boolean;
  /** The format that the call has: a model that two formats reach has an address for each. */
  readonly wire: WireName;
  /** Headers of a client that speaks the same format, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface ChatEndpoint {
  /** Below the base URL, with a leading slash; a whole URL where another host serves the call. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** How the events of a stream are framed. Default `sse`. */
  readonly framing?: 'sse' | 'aws-event-stream';
}

/** One event of a stream: its name, empty where it has none, and its JSON text. */
export interface StreamEvent {
  readonly event: string;
  readonly data: string;
}

/** Counts the tokens of a request as chat would send it. */
export interface TokenCounting {
  /** Undefined where it cannot count for this model. */
  readonly endpoint: (call: ChatEndpointCall) => ChatEndpoint | undefined;
  readonly fitBody: (body: JsonObject, call: ChatEndpointCall) => JsonObject;
  /** The count in a response; undefined where there is none. */
  readonly read: (body: JsonObject) => unknown;
}

/** Chat in a wire format of the provider's own. */
export interface ChatFormat {
  /** The format; by model where the provider runs models of several makers, and by the client's where a model has two. */
  readonly wire: WireName | ((upstreamModel: string, client: WireName) => WireName);
  readonly endpoint: (call: ChatEndpointCall) => ChatEndpoint;
  /** Changes a written or a client's body as the address asks, such as a model that is a part of the path. */
  readonly fitBody?: (body: JsonObject, upstreamModel: string, call: ChatEndpointCall) => JsonObject;
  /** What the writer of the format must know of the provider and the model. */
  readonly traits?: (upstreamModel: string) => Readonly<Record<string, string | number | boolean | undefined>>;
  /** The event within an event, where the provider wraps those of another's format; undefined leaves an event out. */
  readonly unwrap?: (event: StreamEvent, wire: WireName) => StreamEvent | undefined;
  /** Headers, in lower case, by which clients of other formats ask for what only this provider has. */
  readonly passedHeaders?: readonly string[];
  /** How the tokens of a prompt are counted; absent where the provider does not count. */
  readonly countTokens?: TokenCounting;
  /** Absent where the provider has no list of what can be called. */
  readonly modelList?: ModelListRequest;
}

/** How embeddings of a server that speaks OpenAI's format differ from OpenAI's. */
export interface OpenAiEmbeddingRules {
  /** Members that it takes; undefined where unknown ones pass through. */
  readonly accepts?: readonly string[];
  /** Its name for `dimensions`. Default `dimensions`. */
  readonly dimensions?: string;
  /** Whether it takes tokens in place of texts. Default true. */
  readonly takesTokens?: boolean;
  /** The encodings that it may be asked for; vectors are converted from the others. Default: any. */
  readonly encodings?: readonly string[];
  readonly maxInputs?: number;
  readonly maxTokens?: number;
}

/** Formats of reranking that a server of OpenAI's format may have. */
export const SERVER_RERANK_FORMATS = ['jina-rerank', 'cohere-rerank', 'voyage-rerank', 'tei-rerank'] as const;
export type ServerRerankFormat = (typeof SERVER_RERANK_FORMATS)[number];

/** Operations that have one wire format, OpenAI's, in which bodies and responses pass through. */
export type MediaOperationName = 'images' | 'speech' | 'transcription';

/** The wire formats of the operations beside chat. An operation that is absent is one that the provider does not have. */
export interface OperationFormats {
  readonly embeddings?:
    | { readonly format: 'openai-embeddings'; readonly rules?: OpenAiEmbeddingRules }
    | { readonly format: 'ollama-embed' | 'cohere-embed' | 'gemini-embed' | 'vertex-predict' | 'bedrock-invoke' };
  /** `jina-rerank-objects`: documents may be objects; others of Jina's format take texts alone. */
  readonly rerank?: ServerRerankFormat | 'jina-rerank-objects' | 'bedrock-rerank';
  readonly moderations?: 'openai-moderations' | 'mistral-moderations';
  /** Those that it has at OpenAI's paths. */
  readonly media?: readonly MediaOperationName[];
}

/** Which requests go to a server's Responses API: those that came by it, all, or none. */
export const RESPONSES_MODES = ['native', 'all', 'off'] as const;
export type ResponsesMode = (typeof RESPONSES_MODES)[number];

/** What the URL of an operation beside chat is made of. */
export interface OperationTarget {
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly cloud?: CloudSettings | undefined;
}

/** OpenAI's format at the provider. */
export interface CompatibleFormat {
  readonly quirks?: Pick<Quirks, 'tokenLimit' | 'developerRole' | 'streamOptions'>;
  /** Rules of what it takes. An entry chooses them by the provider's name in `quirks.accepts`. */
  readonly fields?: FieldRules;
  /** False where it has no list of models that can be called. */
  readonly hasModelList?: false;
  /** Whether an entry of this name at another address may be a server of any kind, so that only `fields` hold for it. */
  readonly nameIsGeneric?: true;
}

/**
 * All that the gateway knows of one provider. Each is a file of its own in this folder, and nothing else names the provider:
 * the registry reads the folder.
 */
export interface ProviderDefinition {
  /** The usual name of an entry under `providers:`. */
  readonly name: string;
  /** The value of `type` that chooses the provider's own format. Default: the name, where there is such a format. */
  readonly type?: string;
  /** As the provider writes itself. */
  readonly title: string;
  /** Where the facts of the definition come from. */
  readonly documentation: string;
  /** The variable that turns the provider on without a file. */
  readonly keyVariable?: `${Uppercase<string>}_API_KEY`;
  /** Where it is unless an entry says otherwise; absent where each customer has another address. */
  readonly baseUrl?: string;
  /** The variable that moves the base URL, where the vendor's own clients have one. */
  readonly baseUrlVariable?: `${Uppercase<string>}_BASE_URL`;
  /** Hosts that are this provider's, where they differ by region or customer. */
  readonly hosts?: RegExp;
  /** A server that people run on their own machine, which `discover: true` looks for. */
  readonly isLocal?: true;
  /** Its name in the price catalogue; absent where that does not have it. */
  readonly priceId?: string;
  /** Models that cost nothing, where the price catalogue does not have them. */
  readonly freeModels?: RegExp;
  /** Prices by model, where the price catalogue does not have them. */
  readonly unitPrices?: Readonly<Record<string, UnitPrice>>;
  /** Its name in the catalogue of context lengths; absent where that does not have it. */
  readonly catalogueId?: string;
  /** `gen_ai.provider.name` of spans. Default: the configured name. */
  readonly telemetryName?: string;
  readonly credentials: CredentialsKind;
  /** OpenAI's format. An entry that has the provider's name and no `type` speaks it. */
  readonly compatible?: CompatibleFormat;
  /** A wire format of its own, by the gateway's own reader and writer. */
  readonly chat?: ChatFormat;
  /** Where its Responses API is; absent where it has none. An entry of OpenAI's format may say that its server has one. */
  readonly responsesUrl?: (target: OperationTarget) => string;
  /** Absent is none; for a server of which nothing is known, every format of OpenAI's kind is tried. */
  readonly operations?: OperationFormats;
  /** The URL of a path that a wire format wrote, for operations beside chat. Default: below the base URL. */
  readonly operationUrl?: (target: OperationTarget) => (path: string, upstreamModel: string) => string;
  /** Which adapter serves the provider. Default: by format. */
  readonly adapter?: 'built-in';
  /** Keys of an entry that belong to this provider's type. */
  readonly cloudKeys?: readonly CloudKey[];
  /** Variables that `connect` reads, by name. */
  readonly variables?: Readonly<Record<string, ProviderVariable>>;
  /** Reads address and credentials of an entry of this type. Default: a base URL and an API key, which is required. */
  readonly connect?: (input: ConnectionInput) => Connection;
}
