import { dirname, resolve } from 'node:path';
import type { ConfigFault } from './config-error.js';
import type { DatabaseConfig, GatewayConfig, ProviderType, TracingConfig } from './gateway-config.js';
import { KNOWN_PROVIDERS } from './known-providers.js';
import { readProcessCount } from './process-count.js';
import { readEncryptionKeys } from './read-encryption-keys.js';
import { redisUrlFault } from './redis-address.js';
import { readTracing } from './read-tracing.js';
import { parseUrl } from '../runtime/parse-url.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment says; undefined where it says nothing. An empty variable counts as unset. */
export interface EnvironmentSettings {
  readonly port: number | undefined;
  readonly host: string | undefined;
  readonly metricsPort: number | undefined;
  readonly metricsHost: string | undefined;
  readonly configFile: string | undefined;
  readonly databaseUrl: string | undefined;
  readonly dataDirectory: string | undefined;
  /** Connections of one process to PostgreSQL. */
  readonly databasePoolSize: number | undefined;
  /** Whether a start brings the schema up to date. */
  readonly migratesAtStart: boolean | undefined;
  readonly redisUrl: string | undefined;
  readonly adminKey: string | undefined;
  readonly pepper: string | undefined;
  readonly role: GatewayConfig['role'] | undefined;
  readonly processes: number;
  readonly webhooksMayBePrivate: boolean | undefined;
  /** Hex; the current one first. */
  readonly requestLogKeys: readonly string[];
  readonly tracing: TracingConfig | undefined;
  readonly logLevel: GatewayConfig['log']['level'] | undefined;
  readonly logFormat: GatewayConfig['log']['format'] | undefined;
  /** Providers whose key variable is set. */
  readonly providers: readonly {
    name: string;
    type: Exclude<ProviderType, 'sandbox'>;
    apiKey: string;
    baseUrl: string;
  }[];
  /** Any other variable, for what a provider of the file leaves to the environment. */
  readonly variable: (name: string) => string | undefined;
  /** Every name that was asked for, set or not; more are added as the file asks for them. */
  readonly known: ReadonlySet<string>;
}

const ROLES = ['api', 'worker', 'all'] as const;
const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const FORMATS = ['pretty', 'json'] as const;
const PLACEHOLDER = /change.?me|placeholder|replace.?(?:me|this)|your.?(?:admin|api|own|secret|key)|^<.*>$|x{6}/i;
/** What is left when these are taken away is what a guesser has to guess. */
const GUESSED_FIRST =
  /admin|administrator|secret|password|passwd|token|key|test|demo|dev|default|gateway|llm|master|root|user|abcdef|qwerty|(?:0?1?2345678?9?0?)+|[-_. ]/gi;
/** The end of an address that belongs to one endpoint and not to all of a provider. */
const ROUTES = [
  '(?:chat/)?completions',
  'responses',
  'messages(?:/count_tokens|/batches)?',
  'embeddings',
  'rerank',
  'moderations',
  'images/(?:generations|edits|variations)',
  'audio/(?:speech|transcriptions|translations)',
  'models/[^/]+:\\w+',
  'model/[^/]+/(?:converse|invoke)[\\w-]*',
];
const ROUTE = new RegExp(`/(?:${ROUTES.join('|')}|(?<=/v\\d\\w*/)(?:chat|models))/*$`, 'i');

/** Reads every variable that the gateway knows, adding a fault for each that is wrong. */
export function readEnvironment(env: Environment, faults: ConfigFault[]): EnvironmentSettings {
  const known = new Set<string>();
  const text = (name: string): string | undefined => {
    known.add(name);
    const value = env[name]?.trim();
    return value === '' ? undefined : value;
  };
  const oneOf = <Value extends string>(name: string, values: readonly Value[]): Value | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    const found = values.find((each) => each === value);
    if (found === undefined) faults.push({ path: name, message: `must be one of ${values.join(', ')}` });
    return found;
  };
  const secret = (name: string, least: number): string | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    const fault = weakness(value, least);
    if (fault !== undefined) faults.push({ path: name, message: `${fault}. Make one with: openssl rand -hex 24` });
    return value;
  };
  const port = (name: string): number | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    if (!(/^\d{1,5}$/.test(value) && Number(value) <= 65_535)) {
      faults.push({ path: name, message: 'must be a whole number from 0 to 65535' });
    }
    return Number(value);
  };
  const processes = readProcessCount(text('GATEWAY_PROCESSES'));
  if (processes === undefined) {
    faults.push({ path: 'GATEWAY_PROCESSES', message: 'must be auto or a whole number from 1 to 64' });
  }
  const allowPrivate = oneOf('GATEWAY_WEBHOOK_ALLOW_PRIVATE', ['true', 'false'] as const);
  const redisUrl = text('REDIS_URL');
  const redisFault = redisUrl === undefined ? undefined : redisUrlFault(redisUrl);
  if (redisFault !== undefined) faults.push({ path: 'REDIS_URL', message: redisFault });
  const migrates = oneOf('GATEWAY_MIGRATE', ['on', 'off'] as const);
  const poolSize = text('DATABASE_POOL_SIZE');
  if (poolSize !== undefined && !(/^\d{1,4}$/.test(poolSize) && Number(poolSize) >= 1 && Number(poolSize) <= 1_000)) {
    faults.push({ path: 'DATABASE_POOL_SIZE', message: 'must be a whole number from 1 to 1000' });
  }
  return {
    port: port('PORT'),
    host: text('HOST'),
    metricsPort: port('METRICS_PORT'),
    metricsHost: text('METRICS_HOST'),
    configFile: text('GATEWAY_CONFIG'),
    databaseUrl: text('DATABASE_URL'),
    dataDirectory: text('GATEWAY_DATA_DIR'),
    databasePoolSize: poolSize === undefined ? undefined : Number(poolSize),
    migratesAtStart: migrates === undefined ? undefined : migrates === 'on',
    redisUrl,
    adminKey: secret('GATEWAY_ADMIN_KEY', 24),
    pepper: secret('GATEWAY_KEY_PEPPER', 32),
    role: oneOf('GATEWAY_ROLE', ROLES),
    processes: processes ?? 1,
    webhooksMayBePrivate: allowPrivate === undefined ? undefined : allowPrivate === 'true',
    requestLogKeys: readEncryptionKeys(text, faults),
    tracing: readTracing(text, faults),
    logLevel: oneOf('LOG_LEVEL', LEVELS),
    logFormat: oneOf('LOG_FORMAT', FORMATS),
    providers: KNOWN_PROVIDERS.flatMap(({ name, type = 'openai', keyVariable, baseUrl, baseUrlVariable }) => {
      const apiKey = text(keyVariable);
      if (apiKey === undefined) return [];
      const moved = baseUrlVariable === undefined ? undefined : text(baseUrlVariable);
      if (moved !== undefined && baseUrlVariable !== undefined) {
        const fault = baseUrlFault(moved);
        if (fault !== undefined) faults.push({ path: baseUrlVariable, message: fault });
      }
      return [{ name, type, apiKey, baseUrl: moved ?? baseUrl }];
    }),
    variable: text,
    known,
  };
}

/** Why a secret is not one; undefined when it may be. */
function weakness(value: string, least: number): string | undefined {
  if (value.length < least) return `must have at least ${least} characters`;
  if (PLACEHOLDER.test(value) || new Set(value.replace(GUESSED_FIRST, '')).size < 5)
    return 'is a placeholder or too simple to be a secret';
  return undefined;
}

/** Why a base URL will not do; undefined when it will. */
export function baseUrlFault(value: string): string | undefined {
  let url: URL;
  try {
    url = new URL(value);
  } catch {
    return 'must be a URL such as http://127.0.0.1:11434/v1';
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'must begin with http:// or https://';
  if (url.username !== '' || url.password !== '') return 'must not hold credentials; use api_key or headers';
  if (url.search !== '' || url.hash !== '') return 'must not have a query or a fragment';
  const route = ROUTE.exec(url.pathname)?.[0];
  if (route === undefined) return undefined;
  const base = `${url.origin}${url.pathname.slice(0, -route.length)}`;
  return `ends in the route ${route.replace(/\/+$/, '')}, which the gateway adds itself. Write ${base}`;
}

/**
 * Where the database is. A relative SQLite path is taken from `cwd`.
 *
 * @returns undefined, with a fault added, when the URL is none that the gateway knows
 */
export function readDatabaseUrl(
  url: string,
  cwd: string,
  fault: (message: string) => void,
): DatabaseConfig | undefined {
  if (url.startsWith('sqlite:')) {
    const path = url.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '');
    if (path === ':memory:') return { kind: 'sqlite', path };
    if (path === '' || path.startsWith('//')) {
      fault('must look like sqlite:./data/gateway.sqlite, sqlite:/absolute/path.sqlite or sqlite::memory:');
      return undefined;
    }
    return { kind: 'sqlite', path: resolve(cwd, path) };
  }
  if (/^postgres(?:ql)?:\/\//.test(url)) {
    if (parseUrl(url) !== undefined) return { kind: 'postgres', url };
    fault('is not a valid URL. Percent-encode special characters of the password, such as @ as %40');
    return undefined;
  }
  fault('must begin with sqlite: or postgres://');
  return undefined;
}

/** The folder of the generated pepper: that of the embedded database, unless one is named. */
export function dataDirectoryOf(named: string | undefined, database: DatabaseConfig | undefined, cwd: string): string {
  if (named !== undefined) return resolve(cwd, named);
  if (database?.kind === 'sqlite' && database.path !== ':memory:') return dirname(database.path);
  return resolve(cwd, 'data');
}
