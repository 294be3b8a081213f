/** Durations in milliseconds, sizes in bytes, everywhere in this file. */

/** Per-phase limits of one upstream call. */
export interface Timeouts {
  /** TCP and TLS connect. Default 5 s. */
  readonly connect: number;
  /** Of streams: longest silence before the first event; comments of the provider count as life. Default 60 s. */
  readonly firstByte: number;
  /** Of streams: longest silence between two reads. Default 90 s. */
  readonly idle: number;
  /** The whole call; the only time of an answer that is not streamed, beside `connect`. Default 10 min. */
  readonly total: number;
}

/** Providers whose own wire format is spoken, each through a package of its own. */
export const NATIVE_PROVIDER_TYPES = [
  'anthropic',
  'google',
  'vertex',
  'bedrock',
  'azure',
  'cohere',
  'mistral',
  'xai',
  'groq',
  'deepseek',
  'perplexity',
  'together',
  'fireworks',
] as const;
export type NativeProviderType = (typeof NATIVE_PROVIDER_TYPES)[number];

export type ProviderType = 'openai' | 'sandbox' | NativeProviderType;

/** What the clouds need beside a key and an address; each only where its type has it. */
export interface CloudSettings {
  /** Bedrock: the AWS region. Vertex AI: the location, `global` by default. */
  readonly region?: string;
  /** Vertex AI: the Google Cloud project. */
  readonly project?: string;
  /** Vertex AI: path of a service account's key file; without it, what the machine is logged in as. */
  readonly credentialsFile?: string;
  /** Bedrock, where there is no API key. */
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
  /** Azure: `v1` by default; a dated version uses the addresses of deployments. */
  readonly apiVersion?: string;
}

/** Where servers that speak OpenAI's format differ from OpenAI, so that one request suits them all. */
export interface Quirks {
  /** The only name of the limit of tokens that the server honours; undefined where both will do. */
  readonly tokenLimit?: 'max_tokens' | 'max_completion_tokens';
  /** Whether the server knows the role `developer`; where it does not, it is sent as `system`. Default true. */
  readonly developerRole?: boolean;
  /** Whether the server takes `stream_options`; where it does not, it reports usage unasked. Default true. */
  readonly streamOptions?: boolean;
  /** Whose fields the server accepts; others are dropped and named. Default `any`: unknown fields pass through. */
  readonly accepts?: AcceptedFields;
}

/** Servers whose lists of fields are known, because they refuse what they do not know or have limits of their own. */
export const ACCEPTED_FIELDS = [
  'any',
  'openai',
  'mistral',
  'groq',
  'cerebras',
  'together',
  'fireworks',
  'nvidia',
  'deepseek',
  'xai',
] as const;
export type AcceptedFields = (typeof ACCEPTED_FIELDS)[number];

export interface ProviderConfig {
  /** The key under `providers:`; the prefix of `provider/model` ids. */
  readonly name: string;
  readonly type: ProviderType;
  /** Without a trailing slash, including `/v1` where the server has it. */
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  /** Sent with every request to this provider, such as `OpenAI-Organization`. Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether GET {baseUrl}/models fills the model list. */
  readonly listModels: boolean;
  /** For type openai. */
  readonly quirks?: Quirks;
  /** A local server that nobody named, looked for at its usual port; there may be none. */
  readonly isDiscovered?: boolean;
  readonly cloud?: CloudSettings;
}

/** US dollars per million tokens. */
export interface PriceConfig {
  readonly inputPerMillion: number;
  readonly outputPerMillion: number;
  readonly cachedInputPerMillion: number | undefined;
  /** Tokens that are written to the provider's cache. */
  readonly cacheWritePerMillion?: number | undefined;
}

export interface DeploymentConfig {
  /** Name of an entry under `providers:`. */
  readonly provider: string;
  /** The model's id at the provider. */
  readonly model: string;
  /** Share under the `weighted` strategy; positive. Default 1. */
  readonly weight: number;
  /** Calls that one process makes of it at once; undefined is no limit. */
  readonly concurrency: number | undefined;
}

/** Which deployment of a model is tried first. */
export type Strategy = 'weighted' | 'priority' | 'least_busy' | 'fastest';

export interface ModelConfig {
  /** What clients send as `model`; one that ends in `/*`, or is `*`, stands for every id that fits and is no model of its own. */
  readonly id: string;
  /** Further ids that mean this model. */
  readonly aliases: readonly string[];
  readonly strategy: Strategy;
  /** At least one. */
  readonly deployments: readonly DeploymentConfig[];
  /** Ids of models to try, in order, when every deployment of this one failed. */
  readonly fallbacks: readonly string[];
  readonly price: PriceConfig | undefined;
  /** For all keys together; undefined is no limit. */
  readonly limits: { readonly rpm?: number; readonly tpm?: number; readonly concurrency?: number } | undefined;
  readonly contextLength: number | undefined;
  readonly maxOutputTokens: number | undefined;
  readonly displayName: string | undefined;
  /** The defaults of the file with this model's own laid over them. */
  readonly timeouts: Timeouts;
  /** Where calls wait while every deployment has as many as its `concurrency`. */
  readonly queue: {
    /** Calls that may wait in one process. Default 100. */
    readonly size: number;
    /** Longest wait. Default 10 s. */
    readonly timeout: number;
  };
}

/** Traces; the rest of OpenTelemetry's variables are read by its packages. */
export interface TracingConfig {
  readonly serviceName: string;
  readonly resource: Readonly<Record<string, string>>;
  /** Whether prompts and answers are part of the spans. */
  readonly captureContent: boolean;
}

export type DatabaseConfig =
  /** `path` is absolute, or `:memory:`. */
  | { readonly kind: 'sqlite'; readonly path: string }
  | {
      readonly kind: 'postgres';
      readonly url: string;
      /** Connections of one process. Default 10. */
      readonly poolSize?: number;
    };

/**
 * The whole configuration, validated and frozen. Also its own injection token:
 * `constructor(private readonly config: GatewayConfig)`. Providers, models, `expose` and `upstream` are replaced at a reload
 * (live-config.ts), so read them when they are needed; everything else stays as it was at boot.
 */
export abstract class GatewayConfig {
  abstract readonly server: {
    readonly host: string;
    readonly port: number;
    /** Origins that CORS lets in; empty is off. */
    readonly corsOrigins: readonly string[];
    /** Whether /docs and /docs-json are served. */
    readonly swagger: boolean;
    /** Longest wait for open requests at SIGTERM. Default 25 s. */
    readonly drainTimeout: number;
    /** Largest request body of the model endpoints. Default 50 MB. */
    readonly maxBodySize: number;
  };
  abstract readonly role: 'api' | 'worker' | 'all';
  /** Processes on this machine that share the listener. Default 1. */
  abstract readonly processes: number;
  abstract readonly database: DatabaseConfig;
  /** Whether a start brings the schema up to date; where not, it refuses to serve with pending migrations. Default true. */
  abstract readonly migratesAtStart: boolean;
  /** Absolute. Holds the embedded database and the generated pepper. */
  abstract readonly dataDirectory: string;
  /** One server, Sentinels or the nodes of a cluster; see redis-address.ts. */
  abstract readonly redisUrl: string | undefined;
  abstract readonly auth: {
    /** GATEWAY_ADMIN_KEY. */
    readonly adminKey: string | undefined;
    /** GATEWAY_KEY_PEPPER. */
    readonly pepper: string | undefined;
  };
  abstract readonly log: {
    readonly level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
    readonly format: 'pretty' | 'json';
  };
  abstract readonly requestLog: {
    /** Encryption keys of 32 bytes in hex. The first one encrypts, all of them decrypt; none where it is not set. */
    readonly keys: readonly string[];
  };
  /** Undefined is off: OTEL_EXPORTER_OTLP_ENDPOINT is not set. */
  abstract readonly tracing: TracingConfig | undefined;
  /** Where `/metrics` is served without a key, beside the one that needs an admin key. */
  abstract readonly metrics: {
    readonly host: string;
    /** Undefined is nowhere; 0 picks a free one. */
    readonly port: number | undefined;
  };
  abstract readonly streaming: {
    /** Silence before a `: ping` comment is sent; 0 is off. Default 15 s. */
    readonly keepAlive: number;
  };
  abstract readonly upstream: {
    /** Cap of one answer or of one SSE event, decompressed. Default 32 MB. */
    readonly maxAnswerSize: number;
    readonly timeouts: Timeouts;
  };
  abstract readonly batch: {
    /** Tasks that one process runs at once. Default 32. */
    readonly concurrency: number;
    /** Most tasks of one job. Default 50,000. */
    readonly maxTasks: number;
    /** Largest body of a submission, decompressed. Default 200 MB. */
    readonly maxBodySize: number;
    /** Calls to the provider that a task gets at most. Default 5. */
    readonly maxAttempts: number;
    /** How long a claimed task stays with a process that shows no sign of life. Default 60 s. */
    readonly lease: number;
    /** How long finished jobs are kept. Default 30 days. */
    readonly retention: number;
  };
  abstract readonly alerts: {
    /** Where events about budgets go; undefined is nowhere but the log. */
    readonly webhook:
      | {
          readonly url: string;
          /** What deliveries are signed with; undefined only for Slack, which checks no signature. */
          readonly secret: string | undefined;
          readonly format: 'events' | 'slack';
        }
      | undefined;
  };
  abstract readonly usage: {
    /** How long usage records are kept. Default 400 days. */
    readonly retention: number;
  };
  abstract readonly webhooks: {
    /** Whether webhooks may go to private and loopback addresses. */
    readonly allowPrivate: boolean;
  };
  abstract readonly providers: readonly ProviderConfig[];
  abstract readonly models: readonly ModelConfig[];
  /** `all`: every model is also reachable as `provider/model`; `listed`: only the ids under `models:`. */
  abstract readonly expose: 'all' | 'listed';
}
