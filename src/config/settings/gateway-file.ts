import { BATCH } from './batch.js';
import { FILES } from './files.js';
import { group } from './composites.js';
import { CONFIG } from './config.js';
import { CONSOLE } from './console.js';
import { HEALTH } from './health.js';
import { EXPOSE, MODELS } from './models.js';
import { LOG, METRICS, USAGE } from './observability.js';
import { DISCOVER, PROVIDERS, SANDBOX } from './providers.js';
import { RESPONSES } from './responses.js';
import { SERVER, STREAMING } from './server.js';
import { setting, type KindFile } from './setting.js';
import { DATABASE_URL } from './storage.js';
import { RETRY, UPSTREAM } from './upstream.js';
import { ALERTS } from './webhooks.js';

/**
 * Every key of gateway.yaml has one entry in this folder. Types, defaults, gateway.schema.json and the tables of
 * docs/configuration.md come from it. To add a key, add its entry to a section, use the value where it is needed, and run
 * `npm run config:schema`. Variables without a key in the file have theirs in process-variables.ts, storage.ts and
 * integration-variables.ts.
 */

/** Sections that are read once, at the start. A change needs a restart. */
export const PROCESS_SECTIONS = {
  server: SERVER,
  console: CONSOLE,
  config: CONFIG,
  database_url: DATABASE_URL,
  log: LOG,
  metrics: METRICS,
  streaming: STREAMING,
  batch: BATCH,
  responses: RESPONSES,
  files: FILES,
  alerts: ALERTS,
  usage: USAGE,
} as const;

/** Sections that a reload applies. */
export const ROUTING_SECTIONS = {
  upstream: UPSTREAM,
  retry: RETRY,
  health: HEALTH,
  sandbox: SANDBOX,
  expose: EXPOSE,
  discover: DISCOVER,
  providers: PROVIDERS,
  models: MODELS,
} as const;

export const PROCESS_SETTINGS = group(PROCESS_SECTIONS);
export const ROUTING_SETTINGS = group(ROUTING_SECTIONS);

/** gateway.yaml, all of it. */
export const GATEWAY_FILE = setting(group({ ...PROCESS_SECTIONS, ...ROUTING_SECTIONS }), {
  description: 'gateway.yaml. ${NAME} and ${NAME:-default} stand for environment variables.',
  default: {},
});

/** gateway.yaml once it has passed the schema. */
export type GatewayFile = KindFile<typeof PROCESS_SETTINGS> & KindFile<typeof ROUTING_SETTINGS>;
