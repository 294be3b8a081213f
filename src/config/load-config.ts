import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError, type ConfigFault } from './config-error.js';
import { dataDirectoryOf, readDatabaseUrl, type DatabaseConfig } from './database-url.js';
import { changedSettings, type ChangedSetting } from './describe-settings.js';
import { baseUrlFault } from './base-url.js';
import { Environment, readProviderEnvironment, type Variables } from './environment.js';
import type { Configuration } from './gateway-config.js';
import { readAlerts } from './read-alerts.js';
import { readEncryptionKeys } from './read-encryption-keys.js';
import { readFileStorage } from './read-file-storage.js';
import { readBatch } from './read-batch.js';
import { readModels } from './read-models.js';
import { readProviders } from './read-providers.js';
import { readTracing } from './read-tracing.js';
import { withSecretFiles } from './secret-files.js';
import { readVariables } from './settings/composites.js';
import {
  PROCESS_SECTIONS,
  PROCESS_SETTINGS,
  ROUTING_SECTIONS,
  ROUTING_SETTINGS,
  type GatewayFile,
} from './settings/gateway-file.js';
import { PROCESS_VARIABLES } from './settings/process-variables.js';
import { unknownVariables } from './unknown-variables.js';
import { fileFaults } from './validate-file.js';
import { writtenSettings } from './written-settings.js';
import { readYaml, type YamlSource } from './yaml-source.js';

/** The sources of a configuration. */
export interface LoadOptions {
  readonly env?: Variables;
  /** Where relative paths start, and where gateway.yaml is looked for. */
  readonly cwd?: string;
  /** In place of the text of the file. */
  readonly text?: string;
}

/** A configuration, and what it was read from. */
export interface LoadedConfig {
  readonly config: Configuration;
  /** The settings of the process that are not at their defaults. */
  readonly changed: readonly ChangedSetting[];
}

/**
 * The configuration: gateway.yaml under the environment, which takes precedence.
 *
 * @throws ConfigError that names every fault of the file and of the environment at once
 */
export function loadConfig(options: LoadOptions = {}): Configuration {
  return loadWithSources(options).config;
}

/** Like `loadConfig`, with the source of each value. */
export function loadWithSources({
  env: variables = process.env,
  cwd = process.cwd(),
  text,
}: LoadOptions = {}): LoadedConfig {
  const faults: ConfigFault[] = [];
  const environment = new Environment(withSecretFiles(variables, faults), faults);
  const named = environment.variable('GATEWAY_CONFIG');
  const source = text === undefined ? readFile(named, cwd, environment, faults) : readText(text, environment, faults);
  const config = assemble(source.value as GatewayFile, environment, cwd, faults);
  const known = new Set([...environment.known, ...source.variables]);
  const ordered = [...faults.filter(isOfVariable), ...faults.filter((fault) => !isOfVariable(fault))];
  const all = [...ordered, ...unknownVariables(variables, known)];
  const fileName = named ?? 'gateway.yaml';
  if (all.length > 0) throw new ConfigError(withLines(all, source), fileName);
  const changed = changedSettings(source, environment, fileName);
  const file = source.value ?? {};
  const written: Partial<Configuration> = {
    writtenAtStart: { sections: writtenSettings(file, PROCESS_SECTIONS), changed: changed.filter(isReadOnce) },
    written: writtenSettings(file, ROUTING_SECTIONS),
  };
  return { config: deepFreeze({ ...config, ...written }), changed };
}

/** The value of GATEWAY_CONFIG. */
export function configFile(env: Variables = process.env): string | undefined {
  return env['GATEWAY_CONFIG'];
}

/** Whether the data folder is named, as opposed to the folder that the database happens to be in. */
export function isDataDirectoryNamed(env: Variables = process.env): boolean {
  return (env['GATEWAY_DATA_DIR'] ?? '').trim() !== '';
}

const NO_FILE: YamlSource = { value: {}, faults: [], variables: [], lineOf: () => undefined };

function readFile(named: string | undefined, cwd: string, environment: Environment, faults: ConfigFault[]): YamlSource {
  const path = resolve(cwd, named ?? 'gateway.yaml');
  if (!existsSync(path)) {
    if (named !== undefined) environment.fault('GATEWAY_CONFIG', `there is no file ${named}`);
    return NO_FILE;
  }
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    environment.fault('GATEWAY_CONFIG', `${named ?? 'gateway.yaml'} cannot be read by this user`);
    return NO_FILE;
  }
  return readText(text, environment, faults);
}

function readText(text: string, environment: Environment, faults: ConfigFault[]): YamlSource {
  const source = readYaml(text, environment.variables);
  if (source.value === undefined || source.value === null) {
    faults.push(...source.faults);
    return { ...source, value: {} };
  }
  const found = [...source.faults, ...fileFaults(source.value)];
  faults.push(...found);
  // Values of the wrong type would only cause misleading faults later.
  return found.length > 0 ? { ...source, value: {} } : source;
}

function isOfVariable({ path }: ConfigFault): boolean {
  return /^[A-Z][A-Z0-9_]*$/.test(path);
}

function isReadOnce({ name }: ChangedSetting): boolean {
  return !Object.hasOwn(ROUTING_SECTIONS, name.split('.')[0] ?? '');
}

function withLines(faults: readonly ConfigFault[], source: YamlSource): ConfigFault[] {
  return faults.map((fault) => {
    if (fault.line !== undefined || isOfVariable(fault)) return fault;
    return { ...fault, line: source.lineOf(fault.path) };
  });
}

function assemble(file: GatewayFile, environment: Environment, cwd: string, faults: ConfigFault[]): Configuration {
  const settings = PROCESS_SETTINGS.value(file, environment, '');
  const routing = ROUTING_SETTINGS.value(file, environment, '');
  const variables = readVariables(PROCESS_VARIABLES, environment);
  const allowPrivate = variables.GATEWAY_WEBHOOK_ALLOW_PRIVATE;
  const database = databaseOf(settings.databaseUrl, variables.DATABASE_POOL_SIZE, cwd);
  if (variables.GATEWAY_PROCESSES > 1 && database.kind === 'sqlite' && database.path === ':memory:') {
    environment.fault(
      'GATEWAY_PROCESSES',
      'needs a database that the processes share, and sqlite::memory: is each one’s own. Set DATABASE_URL to a file',
    );
  }
  const previous = variables.GATEWAY_KEY_PEPPER_PREVIOUS;
  if (previous !== undefined && previous === variables.GATEWAY_KEY_PEPPER) {
    environment.fault(
      'GATEWAY_KEY_PEPPER_PREVIOUS',
      'is the same as GATEWAY_KEY_PEPPER. Set it to the pepper before, or leave it out',
    );
  }
  const providerEnvironment = readProviderEnvironment(environment);
  const { variable } = providerEnvironment;
  const providers = readProviders(file, providerEnvironment, faults);
  return {
    server: settings.server,
    role: variables.GATEWAY_ROLE,
    processes: variables.GATEWAY_PROCESSES,
    database,
    migratesAtStart: variables.GATEWAY_MIGRATE,
    dataDirectory: dataDirectoryOf(variables.GATEWAY_DATA_DIR, database, cwd),
    redisUrl: variables.REDIS_URL,
    auth: {
      adminKey: variables.GATEWAY_ADMIN_KEY,
      pepper: variables.GATEWAY_KEY_PEPPER,
      previousPepper: variables.GATEWAY_KEY_PEPPER_PREVIOUS,
    },
    log: { ...settings.log, format: settings.log.format ?? (process.stdout.isTTY ? 'pretty' : 'json') },
    requestLog: { keys: readEncryptionKeys(variable, faults) },
    tracing: readTracing(variable, faults),
    metrics: settings.metrics,
    streaming: settings.streaming,
    batch: readBatch(settings.batch, variable, (path, message) => faults.push({ path, message })),
    console: settings.console,
    editing: settings.config,
    responses: settings.responses,
    files: readFileStorage(settings.files, variable, (path, message) => faults.push({ path, message })),
    alerts: {
      webhook: readAlerts(file.alerts, allowPrivate, (path, message) => faults.push({ path, message })),
    },
    usage: settings.usage,
    knownProviders: providerEnvironment.known.filter(({ baseUrl }) => baseUrlFault(baseUrl) === undefined),
    webhooks: { allowPrivate },
    upstream: routing.upstream,
    providers,
    models: readModels(routing.models, providers, routing.upstream.timeouts, faults),
    expose: routing.expose,
    retry: routing.retry,
    health: routing.health,
  };
}

/** A URL that cannot be used is a fault already; the database in memory only stands in for it. */
function databaseOf(url: string, poolSize: number | undefined, cwd: string): DatabaseConfig {
  const database = readDatabaseUrl(url, cwd);
  if (typeof database === 'string') return { kind: 'sqlite', path: ':memory:' };
  return database.kind === 'postgres' && poolSize !== undefined ? { ...database, poolSize } : database;
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const item of Object.values(value)) if (typeof item === 'object' && item !== null) deepFreeze(item as object);
  return Object.freeze(value);
}
