import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { ConfigError, type ConfigFault } from './config-error.js';
import { dataDirectoryOf, readDatabaseUrl, readEnvironment, type EnvironmentSettings } from './environment.js';
import type { DatabaseConfig, GatewayConfig, ProviderConfig, Timeouts } from './gateway-config.js';
import type { GatewayFile } from './gateway-file.js';
import { GATEWAY_SCHEMA } from './gateway-schema.js';
import { knownQuirksAt, LOCAL_SERVERS } from './known-providers.js';
import { nearestName } from './nearest-name.js';
import { readModels, timeoutsOf } from './read-models.js';
import { readProvider } from './read-provider.js';
import { withSecretFiles } from './secret-files.js';
import { unknownVariables } from './unknown-variables.js';
import { webhookUrlFault } from '../webhooks/webhook-address.js';
import { parseDuration, parseSize } from './units.js';
import { printPath, readYaml, type YamlSource } from './yaml-source.js';

export interface LoadOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where relative paths start, and where gateway.yaml is looked for. */
  readonly cwd?: string;
}

const DEFAULT_TIMEOUTS: Timeouts = { connect: 5_000, firstByte: 60_000, idle: 90_000, total: 600_000 };
export const SANDBOX = 'sandbox';

/**
 * The configuration: gateway.yaml under the environment, which wins where both speak.
 *
 * @throws ConfigError that names every fault of the file and of the environment at once
 */
export function loadConfig({ env: variables = process.env, cwd = process.cwd() }: LoadOptions = {}): GatewayConfig {
  const faults: ConfigFault[] = [];
  const env = withSecretFiles(variables, faults);
  const settings = readEnvironment(env, faults);
  const source = readFile(settings.configFile, cwd, env, faults);
  const file = source.value as GatewayFile;
  const config = assemble(file, settings, cwd, faults);
  faults.push(...unknownVariables(variables, new Set([...settings.known, ...source.variables])));
  if (faults.length > 0) throw new ConfigError(withLines(faults, source), settings.configFile ?? 'gateway.yaml');
  return deepFreeze(config);
}

/** What GATEWAY_CONFIG says. */
export function configFile(env: LoadOptions['env'] = process.env): string | undefined {
  return env['GATEWAY_CONFIG'];
}

/** Whether the data folder is named, as opposed to the folder that the database happens to be in. */
export function isDataDirectoryNamed(env: LoadOptions['env'] = process.env): boolean {
  return (env['GATEWAY_DATA_DIR'] ?? '').trim() !== '';
}

const NO_FILE: YamlSource = { value: {}, faults: [], variables: [], lineOf: () => undefined };

function readFile(
  named: string | undefined,
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
  faults: ConfigFault[],
): YamlSource {
  const path = resolve(cwd, named ?? 'gateway.yaml');
  if (!existsSync(path)) {
    if (named !== undefined) faults.push({ path: 'GATEWAY_CONFIG', message: `there is no file ${named}` });
    return NO_FILE;
  }
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    faults.push({ path: 'GATEWAY_CONFIG', message: `${named ?? 'gateway.yaml'} cannot be read by this user` });
    return NO_FILE;
  }
  const source = readYaml(text, env);
  faults.push(...source.faults);
  if (source.value === undefined || source.value === null) return { ...source, value: {} };
  const before = faults.length;
  if (!validate(source.value)) faults.push(...(validate.errors ?? []).flatMap(toFault));
  // Values of the wrong type would only give misleading faults further on.
  return faults.length > before ? { ...source, value: {} } : source;
}

const ajv = new Ajv({ allErrors: true, strict: false, strictNumbers: true, verbose: true });
/** What a value with a unit must be. `unit` is this schema's own keyword; editors ignore it. */
const UNITS: Readonly<Record<string, { accepts: (value: unknown) => boolean; message: string }>> = {
  duration: {
    accepts: (value) => parseDuration(value) !== undefined,
    message: 'must be a duration with its unit, such as 500ms, 5s, 10m, 2h or 30d',
  },
  timeout: {
    accepts: (value) => (parseDuration(value) ?? 0) > 0,
    message: 'must be a duration above zero with its unit, such as 500ms, 5s or 10m',
  },
  size: {
    accepts: (value) => (parseSize(value) ?? 0) > 0,
    message: 'must be a size above zero with its unit, such as 512KB, 32MB or 1GB',
  },
};
ajv.addKeyword({
  keyword: 'unit',
  validate: (unit: string, value: unknown) => UNITS[unit]?.accepts(value) ?? false,
});
const validate = ajv.compile(GATEWAY_SCHEMA);

function toFault(error: ErrorObject): ConfigFault[] {
  const path = pathOf(error.instancePath);
  const printed = printPath(path);
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(error.params['additionalProperty']);
      const known = Object.keys((error.parentSchema as { properties?: object }).properties ?? {});
      const near = nearestName(key, known);
      const hint = near === undefined ? `Known keys: ${known.join(', ')}` : `Did you mean ${near}?`;
      return [{ path: printPath([...path, key]), message: `unknown key. ${hint}` }];
    }
    case 'required':
      return [
        { path: printPath([...path, String(error.params['missingProperty'])]), message: 'is required and missing' },
      ];
    case 'enum':
      return [{ path: printed, message: `must be one of ${(error.params['allowedValues'] as unknown[]).join(', ')}` }];
    case 'unit':
      return [{ path: printed, message: UNITS[String(error.schema)]?.message ?? 'is wrong' }];
    case 'propertyNames':
      return [];
    case 'pattern':
      if (error.propertyName === undefined) {
        return [
          {
            path: printed,
            message: printed.endsWith('secret')
              ? 'must be whsec_ and at least 24 bytes in base64'
              : 'takes letters, digits and dashes alone, and begins with one of the first two',
          },
        ];
      }
      return [
        {
          path: printPath([...path, error.propertyName]),
          message: 'a provider name takes letters, digits, dots, dashes and underscores, and no slash',
        },
      ];
    default:
      return [{ path: printed === '' ? 'the file' : printed, message: error.message ?? 'is wrong' }];
  }
}

function pathOf(pointer: string): (string | number)[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}

function withLines(faults: readonly ConfigFault[], source: YamlSource): ConfigFault[] {
  return faults.map((fault) => {
    if (fault.line !== undefined || /^[A-Z][A-Z0-9_]*$/.test(fault.path)) return fault;
    const steps = [...fault.path.matchAll(/[^.[\]]+/g)].map(([step]) => (/^\d+$/.test(step) ? Number(step) : step));
    return { ...fault, line: source.lineOf(steps) };
  });
}

function assemble(file: GatewayFile, settings: EnvironmentSettings, cwd: string, faults: ConfigFault[]): GatewayConfig {
  const databaseUrl = settings.databaseUrl ?? file.database_url ?? 'sqlite:./data/gateway.sqlite';
  const database = readDatabaseUrl(databaseUrl, cwd, (message) => {
    faults.push({ path: settings.databaseUrl === undefined ? 'database_url' : 'DATABASE_URL', message });
  });
  if (settings.processes > 1 && database?.kind === 'sqlite' && database.path === ':memory:') {
    faults.push({
      path: 'GATEWAY_PROCESSES',
      message:
        'needs a database that the processes share, and sqlite::memory: is each one’s own. Set DATABASE_URL to a file',
    });
  }
  const timeouts = timeoutsOf(file.upstream?.timeouts, DEFAULT_TIMEOUTS);
  const providers = providersOf(file, settings, faults);
  return {
    server: {
      host: settings.host ?? file.server?.host ?? '127.0.0.1',
      port: settings.port ?? file.server?.port ?? 3000,
      corsOrigins: file.server?.cors_origins ?? [],
      swagger: file.server?.swagger ?? true,
      drainTimeout: parseDuration(file.server?.drain_timeout) ?? 25_000,
      maxBodySize: parseSize(file.server?.max_body_size) ?? 50 * 1024 * 1024,
    },
    role: settings.role ?? 'all',
    processes: settings.processes,
    database: withPoolSize(database ?? { kind: 'sqlite', path: ':memory:' }, settings.databasePoolSize),
    migratesAtStart: settings.migratesAtStart ?? true,
    dataDirectory: dataDirectoryOf(settings.dataDirectory, database, cwd),
    redisUrl: settings.redisUrl,
    auth: { adminKey: settings.adminKey, pepper: settings.pepper },
    log: {
      level: settings.logLevel ?? file.log?.level ?? 'info',
      format: settings.logFormat ?? file.log?.format ?? (process.stdout.isTTY ? 'pretty' : 'json'),
    },
    requestLog: { keys: settings.requestLogKeys },
    tracing: settings.tracing,
    metrics: {
      host: settings.metricsHost ?? file.metrics?.host ?? '127.0.0.1',
      port: settings.metricsPort ?? file.metrics?.port,
    },
    streaming: { keepAlive: parseDuration(file.streaming?.keep_alive) ?? 15_000 },
    upstream: { maxAnswerSize: parseSize(file.upstream?.max_answer_size) ?? 32 * 1024 * 1024, timeouts },
    batch: {
      concurrency: file.batch?.concurrency ?? 32,
      maxTasks: file.batch?.max_tasks ?? 50_000,
      maxBodySize: parseSize(file.batch?.max_body_size) ?? 200 * 1024 * 1024,
      maxAttempts: file.batch?.max_attempts ?? 5,
      lease: Math.max(1_000, parseDuration(file.batch?.lease) ?? 60_000),
      retention: parseDuration(file.batch?.retention) ?? 30 * 86_400_000,
    },
    alerts: { webhook: alertsWebhook(file, settings, faults) },
    usage: { retention: parseDuration(file.usage?.retention) ?? 400 * 86_400_000 },
    webhooks: { allowPrivate: settings.webhooksMayBePrivate ?? false },
    providers,
    models: readModels(file.models ?? [], providers, timeouts, faults),
    expose: file.expose ?? 'all',
  };
}

function withPoolSize(database: DatabaseConfig, poolSize: number | undefined): DatabaseConfig {
  return database.kind === 'postgres' && poolSize !== undefined ? { ...database, poolSize } : database;
}

function alertsWebhook(
  { alerts }: GatewayFile,
  settings: EnvironmentSettings,
  faults: ConfigFault[],
): GatewayConfig['alerts']['webhook'] {
  const { webhook_url: url, webhook_secret: secret, webhook_format: format = 'events' } = alerts ?? {};
  if (url === undefined && secret === undefined && alerts?.webhook_format === undefined) return undefined;
  const fault =
    url === undefined
      ? 'is required with webhook_secret and webhook_format'
      : webhookUrlFault(url, settings.webhooksMayBePrivate ?? false);
  if (fault !== undefined) faults.push({ path: 'alerts.webhook_url', message: fault });
  const isUnsigned = secret === undefined && format !== 'slack';
  if (isUnsigned) {
    faults.push({
      path: 'alerts.webhook_secret',
      message:
        'is required with webhook_url, unless webhook_format is slack. Make one with: echo whsec_$(openssl rand -base64 32)',
    });
  }
  return url === undefined || isUnsigned ? undefined : { url, secret, format };
}

function providersOf(file: GatewayFile, settings: EnvironmentSettings, faults: ConfigFault[]): ProviderConfig[] {
  const providers: ProviderConfig[] = [];
  for (const [name, entry] of Object.entries(file.providers ?? {})) {
    const path = `providers.${name}`;
    if (name === SANDBOX) {
      faults.push({
        path,
        message: 'the name sandbox is taken by the built-in provider; switch that by sandbox: true|false',
      });
      continue;
    }
    const provider = readProvider(name, entry ?? {}, settings);
    faults.push(...provider.faults.map((fault) => ({ path: `${path}.${fault.key}`, message: fault.message })));
    if (provider.config !== undefined) providers.push(provider.config);
  }
  for (const { name, type, apiKey, baseUrl } of settings.providers) {
    if (providers.some((provider) => provider.name === name)) continue;
    providers.push({
      name,
      type,
      baseUrl: baseUrl.replace(/\/+$/, ''),
      apiKey,
      headers: {},
      listModels: true,
      ...(type === 'openai' && { quirks: knownQuirksAt(baseUrl) ?? {} }),
    });
  }
  if (file.discover === true) {
    for (const { name, baseUrl, quirks } of LOCAL_SERVERS) {
      if (providers.some((provider) => provider.name === name || provider.baseUrl === baseUrl)) continue;
      const found = { name, type: 'openai', baseUrl, apiKey: undefined, headers: {}, listModels: true } as const;
      providers.push({ ...found, isDiscovered: true, ...(quirks !== undefined && { quirks }) });
    }
  }
  if (file.sandbox ?? providers.length === 0) {
    providers.push({ name: SANDBOX, type: 'sandbox', baseUrl: '', apiKey: undefined, headers: {}, listModels: true });
  }
  return providers;
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const item of Object.values(value)) if (typeof item === 'object' && item !== null) deepFreeze(item as object);
  return Object.freeze(value);
}
