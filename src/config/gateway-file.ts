import type { AcceptedFields, GatewayConfig, ModelConfig, ProviderType } from './gateway-config.js';

/** gateway.yaml once it has passed the schema: what gateway-schema.ts says, as types. */
export interface GatewayFile {
  server?: {
    host?: string;
    port?: number;
    cors_origins?: string[];
    swagger?: boolean;
    drain_timeout?: string | number;
    max_body_size?: string | number;
  };
  database_url?: string;
  log?: { level?: GatewayConfig['log']['level']; format?: GatewayConfig['log']['format'] };
  metrics?: { host?: string; port?: number };
  streaming?: { keep_alive?: string | number };
  upstream?: { max_answer_size?: string | number; timeouts?: TimeoutsFile };
  batch?: {
    concurrency?: number;
    max_tasks?: number;
    max_body_size?: string | number;
    max_attempts?: number;
    lease?: string | number;
    retention?: string | number;
  };
  alerts?: { webhook_url?: string; webhook_secret?: string; webhook_format?: 'events' | 'slack' };
  usage?: { retention?: string | number };
  sandbox?: boolean;
  expose?: GatewayConfig['expose'];
  discover?: boolean;
  providers?: Record<string, ProviderFile | null>;
  models?: ModelFile[];
}

export interface TimeoutsFile {
  connect?: string | number;
  first_byte?: string | number;
  idle?: string | number;
  total?: string | number;
}

export interface ProviderFile {
  type?: Exclude<ProviderType, 'sandbox'>;
  base_url?: string;
  api_key?: string;
  region?: string;
  project?: string;
  credentials_file?: string;
  resource_name?: string;
  api_version?: string;
  access_key_id?: string;
  secret_access_key?: string;
  session_token?: string;
  headers?: Record<string, string>;
  list_models?: boolean;
  quirks?: {
    token_limit?: 'max_tokens' | 'max_completion_tokens';
    developer_role?: boolean;
    stream_options?: boolean;
    accepts?: AcceptedFields;
  };
}

export interface ModelFile {
  id: string;
  aliases?: string[];
  strategy?: ModelConfig['strategy'];
  deployments: { provider: string; model: string; weight?: number; concurrency?: number }[];
  fallbacks?: string[];
  price?: {
    input_per_million: number;
    output_per_million: number;
    cached_input_per_million?: number;
    cache_write_per_million?: number;
  };
  limits?: { rpm?: number; tpm?: number; concurrency?: number };
  context_length?: number;
  max_output_tokens?: number;
  display_name?: string;
  timeouts?: TimeoutsFile;
  queue?: { size?: number; timeout?: string | number };
}
