import type { ChangedSetting } from './describe-settings.js';
import type { WrittenSettings } from './written-settings.js';
import type { DatabaseConfig } from './database-url.js';
import type { KnownProvider } from './environment.js';
import type { readFileStorage } from './read-file-storage.js';
import type { readBatch } from './read-batch.js';
import type { PROCESS_SETTINGS, ROUTING_SETTINGS } from './settings/gateway-file.js';
import type { ModelSettings } from './settings/models.js';
import type { PROCESS_VARIABLES } from './settings/process-variables.js';
import type { CloudSettings } from '../providers/definitions/types/connection.js';
import type { Quirks } from '../providers/definitions/types/field-rules.js';
import type { CompletionsMode, ResponsesMode } from '../providers/definitions/types/operation-formats.js';
import type { BatchMode } from '../providers/definitions/types/batch-format.js';
import type { KindValue, ValueOf } from './settings/setting.js';
import type { Timeouts } from './settings/upstream.js';

/** Durations in milliseconds, sizes in bytes, everywhere. What each setting means stands at its entry in settings/. */

export type { CloudSettings } from '../providers/definitions/types/connection.js';
export type { Quirks } from '../providers/definitions/types/field-rules.js';
export type { DatabaseConfig } from './database-url.js';
export type { BreakerSettings, EjectionSettings, HealthSettings } from './settings/health.js';
export type { Affinity, DeploymentConfig, Strategy, StreamRecovery } from './settings/models.js';
export type { PriceConfig } from './settings/prices.js';
export type { TierPricesConfig } from './settings/tier-prices.js';
export type { Timeouts } from './settings/upstream.js';

/** An entry under `providers`, with credentials and quirks resolved. */
export interface ProviderConfig {
  /** The key under `providers:`; the prefix of `provider/model` ids. */
  readonly name: string;
  /** The type that a provider definition has. */
  readonly type: string;
  /** Without a trailing slash, including `/v1` where the server has it. */
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  /** Those of `api_keys` beside the first one, which is `apiKey`. Absent where there is one key. */
  readonly furtherKeys?: readonly string[];
  /** Sent with every request to this provider, such as `OpenAI-Organization`. Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether GET {baseUrl}/models fills the model list. */
  readonly listModels: boolean;
  /**
   * Which requests go to the provider's Responses API. `assumed` is `native` by the entry's name alone: where the server turns out
   * not to have it, requests are translated.
   */
  readonly responses?: ResponsesMode | 'assumed';
  /** Which requests of the legacy completions go to the provider's own completions API. Default: `auto`. */
  readonly completions?: CompletionsMode;
  /** Whether the provider's own batch API is used. Default: where its definition has one. */
  readonly batches?: BatchMode;
  /** Fewest tasks of one of its batches. Default: that of its definition. */
  readonly batchMinTasks?: number;
  /** Applies to the type `openai`. */
  readonly quirks?: Quirks;
  /** A local server that is not configured, but probed at its usual port; it may not be running. */
  readonly isDiscovered?: boolean;
  readonly cloud?: CloudSettings;
}

/** A model of the file, with the timeouts of `upstream` where it has none of its own. */
export type ModelConfig = Omit<ModelSettings, 'timeouts'> & { readonly timeouts: Timeouts };

/** Traces; the rest of OpenTelemetry's variables are read by its packages. */
export interface TracingConfig {
  readonly serviceName: string;
  readonly resource: Readonly<Record<string, string>>;
  /** Whether prompts and responses are part of the spans. */
  readonly captureContent: boolean;
}

type ProcessSettings = KindValue<typeof PROCESS_SETTINGS>;
type RoutingFile = KindValue<typeof ROUTING_SETTINGS>;

/** The part of the configuration that a reload replaces. Inject RoutingConfig (routing-config.ts) to read it. */
export interface RoutingSettings {
  readonly upstream: RoutingFile['upstream'];
  readonly retry: RoutingFile['retry'];
  readonly health: RoutingFile['health'];
  readonly providers: readonly ProviderConfig[];
  readonly models: readonly ModelConfig[];
  readonly expose: RoutingFile['expose'];
  /** Their sections as the file has them, without secrets; absent where there was no file to read. */
  readonly written?: WrittenSettings;
}

/** All that was loaded, validated and frozen. */
export type Configuration = GatewayConfig & RoutingSettings;

/** The settings that are read once, at the start, without those that a reload replaces. */
export function staticSettings(config: GatewayConfig | Configuration): GatewayConfig {
  const {
    upstream,
    retry,
    health,
    providers,
    models,
    expose,
    written,
    ...settings
  }: GatewayConfig & Partial<RoutingSettings> = config;
  return Object.freeze(settings);
}

/**
 * The settings of the process, fixed at the start. Also its own injection token:
 * `constructor(private readonly config: GatewayConfig)`. What a reload replaces is in RoutingConfig.
 */
export abstract class GatewayConfig {
  abstract readonly server: ProcessSettings['server'];
  abstract readonly console: ProcessSettings['console'];
  /** Editing of gateway.yaml by administrators. */
  abstract readonly editing: ProcessSettings['config'];
  /** The sections of the file that are read once, without secrets, and the settings that are not at their defaults. */
  abstract readonly writtenAtStart?: {
    readonly sections: WrittenSettings;
    readonly changed: readonly ChangedSetting[];
  };
  abstract readonly role: ValueOf<(typeof PROCESS_VARIABLES)['GATEWAY_ROLE']>;
  /** Processes on this machine that share the listener. */
  abstract readonly processes: number;
  abstract readonly database: DatabaseConfig;
  /** Whether a start brings the schema up to date; where not, it refuses to serve with pending migrations. */
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
    /** GATEWAY_KEY_PEPPER_PREVIOUS, while keys that were hashed with it are in use. */
    readonly previousPepper: string | undefined;
  };
  abstract readonly log: Required<ProcessSettings['log']>;
  abstract readonly requestLog: {
    /** Encryption keys of 32 bytes in hex. The first one encrypts, all of them decrypt; none where it is not set. */
    readonly keys: readonly string[];
  };
  /** Undefined is off: OTEL_EXPORTER_OTLP_ENDPOINT is not set. */
  abstract readonly tracing: TracingConfig | undefined;
  abstract readonly metrics: ProcessSettings['metrics'];
  abstract readonly streaming: ProcessSettings['streaming'];
  abstract readonly batch: ReturnType<typeof readBatch>;
  abstract readonly responses: ProcessSettings['responses'];
  abstract readonly files: ReturnType<typeof readFileStorage>;
  abstract readonly alerts: {
    /** Undefined: budget events are logged only. */
    readonly webhook: AlertWebhook | undefined;
  };
  abstract readonly usage: ProcessSettings['usage'];
  /** Providers that need nothing but a key, set up or not. */
  abstract readonly knownProviders: readonly KnownProvider[];
  abstract readonly webhooks: {
    /** Whether webhooks may go to private and loopback addresses. */
    readonly allowPrivate: boolean;
  };
}

/** The receiver of budget alerts. */
export interface AlertWebhook {
  readonly url: string;
  /** The secret that signs deliveries; undefined only for Slack, which does not check signatures. */
  readonly secret: string | undefined;
  readonly format: ProcessSettings['alerts']['webhookFormat'];
}
