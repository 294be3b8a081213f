import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { ConfigError, type ConfigFault } from './config-error.js';
import { dataDirectoryOf, readDatabaseUrl, readEnvironment, type EnvironmentSettings } from './environment.js';
import type { GatewayConfig, ModelConfig, ProviderConfig, Timeouts } from './gateway-config.js';
import type { GatewayFile, TimeoutsFile } from './gateway-file.js';
import { GATEWAY_SCHEMA } from './gateway-schema.js';
import { nearestName } from './nearest-name.js';
import { readProvider } from './read-provider.js';
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
export function loadConfig({ env = process.env, cwd = process.cwd() }: LoadOptions = {}): GatewayConfig {
  const faults: ConfigFault[] = [];
  const settings = readEnvironment(env, faults);
  const source = readFile(settings.configFile, cwd, env, faults);
  const file = source.value as GatewayFile;
  const config = assemble(file, settings, cwd, faults);
  if (faults.length > 0) throw new ConfigError(withLines(faults, source), settings.configFile ?? 'gateway.yaml');
  return deepFreeze(config);
}

const NO_FILE: YamlSource = { value: {}, faults: [], lineOf: () => undefined };

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
  if (source.value === undefined || source.value === null) return { ...NO_FILE, lineOf: source.lineOf };
  const before = faults.length;
  if (!validate(source.value)) faults.push(...(validate.errors ?? []).flatMap(toFault));
  // Values of the wrong type would only give misleading faults further on.
  return faults.length > before ? { ...NO_FILE, lineOf: source.lineOf } : source;
}

const ajv = new Ajv({ allErrors: true, strict: false, verbose: true });
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
          { path: printed, message: 'takes letters, digits and dashes alone, and begins with one of the first two' },
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
    if (fault.line !== undefined || /^[A-Z_]+$/.test(fault.path)) return fault;
    const steps = [...fault.path.matchAll(/[^.[\]]+/g)].map(([step]) => (/^\d+$/.test(step) ? Number(step) : step));
    return { ...fault, line: source.lineOf(steps) };
  });
}

function assemble(file: GatewayFile, settings: EnvironmentSettings, cwd: string, faults: ConfigFault[]): GatewayConfig {
  const databaseUrl = settings.databaseUrl ?? file.database_url ?? 'sqlite:./data/gateway.sqlite';
  const database = readDatabaseUrl(databaseUrl, cwd, (message) => {
    faults.push({ path: settings.databaseUrl === undefined ? 'database_url' : 'DATABASE_URL', message });
  });
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
    database: database ?? { kind: 'sqlite', path: ':memory:' },
    dataDirectory: dataDirectoryOf(settings.dataDirectory, database, cwd),
    redisUrl: settings.redisUrl,
    auth: { adminKey: settings.adminKey, pepper: settings.pepper },
    log: {
      level: settings.logLevel ?? file.log?.level ?? 'info',
      format: settings.logFormat ?? file.log?.format ?? (process.stdout.isTTY ? 'pretty' : 'json'),
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
    webhooks: { allowPrivate: settings.webhooksMayBePrivate ?? false },
    providers,
    models: modelsOf(file, providers, timeouts, faults),
    expose: file.expose ?? 'all',
  };
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
    });
  }
  if (file.sandbox ?? providers.length === 0) {
    providers.push({ name: SANDBOX, type: 'sandbox', baseUrl: '', apiKey: undefined, headers: {}, listModels: true });
  }
  return providers;
}

function modelsOf(
  file: GatewayFile,
  providers: readonly ProviderConfig[],
  defaults: Timeouts,
  faults: ConfigFault[],
): ModelConfig[] {
  const entries = file.models ?? [];
  const providerNames = providers.map(({ name }) => name);
  const ids = entries.map(({ id }) => id);
  return entries.map((entry, index) => {
    const path = `models[${index}]`;
    if (ids.indexOf(entry.id) !== index) {
      faults.push({
        path: `${path}.id`,
        message: `'${entry.id}' is already the id of models[${ids.indexOf(entry.id)}]`,
      });
    }
    entry.deployments.forEach(({ provider }, position) => {
      if (providerNames.includes(provider)) return;
      const near = nearestName(provider, providerNames);
      faults.push({
        path: `${path}.deployments[${position}].provider`,
        message: `there is no provider '${provider}'. ${near === undefined ? `Known: ${providerNames.join(', ') || 'none'}` : `Did you mean ${near}?`}`,
      });
    });
    entry.fallbacks?.forEach((fallback, position) => {
      const fault = fallbackFault(fallback, entry.id, ids, providerNames);
      if (fault !== undefined) faults.push({ path: `${path}.fallbacks[${position}]`, message: fault });
    });
    return {
      id: entry.id,
      strategy: entry.strategy ?? 'weighted',
      deployments: entry.deployments.map(({ provider, model, weight }) => ({ provider, model, weight: weight ?? 1 })),
      fallbacks: entry.fallbacks ?? [],
      price:
        entry.price === undefined
          ? undefined
          : {
              inputPerMillion: entry.price.input_per_million,
              outputPerMillion: entry.price.output_per_million,
              cachedInputPerMillion: entry.price.cached_input_per_million,
            },
      contextLength: entry.context_length,
      maxOutputTokens: entry.max_output_tokens,
      displayName: entry.display_name,
      timeouts: timeoutsOf(entry.timeouts, defaults),
    };
  });
}

function fallbackFault(
  fallback: string,
  own: string,
  ids: readonly string[],
  providerNames: readonly string[],
): string | undefined {
  if (fallback === own) return 'a model cannot fall back to itself';
  if (ids.includes(fallback)) return undefined;
  if (fallback.includes('/') && providerNames.includes(fallback.slice(0, fallback.indexOf('/')))) return undefined;
  const near = nearestName(fallback, ids);
  return `there is no model '${fallback}'. ${near === undefined ? 'Use an id under models, or provider/model' : `Did you mean ${near}?`}`;
}

function timeoutsOf(file: TimeoutsFile | undefined, defaults: Timeouts): Timeouts {
  return {
    connect: parseDuration(file?.connect) ?? defaults.connect,
    firstByte: parseDuration(file?.first_byte) ?? defaults.firstByte,
    idle: parseDuration(file?.idle) ?? defaults.idle,
    total: parseDuration(file?.total) ?? defaults.total,
  };
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const item of Object.values(value)) if (typeof item === 'object' && item !== null) deepFreeze(item as object);
  return Object.freeze(value);
}
