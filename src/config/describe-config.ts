import type { Configuration, DatabaseConfig, ProviderConfig } from './gateway-config.js';
import type { ChangedSetting } from './describe-settings.js';
import type { AwsLogin } from '../providers/definitions/logins/aws-login.js';
import { OPENAI_TYPE } from '../providers/definitions/openai.js';
import { definitionOfType } from '../providers/definitions/registry.js';
import { SANDBOX_TYPE } from '../providers/definitions/sandbox.js';
import { readRedisUrl } from './redis-address.js';

/** A configuration in a few lines for an operator, without any secret. */
export function describeConfig(config: Configuration, changed: readonly ChangedSetting[]): string {
  const { server, database, providers, models } = config;
  return [
    'The configuration is valid.',
    `  listens on   http://${server.host}:${server.port}`,
    `  database     ${describeDatabase(database)}`,
    `  providers    ${providers.length === 0 ? 'none' : ''}`.trimEnd(),
    ...providers.map((provider) => {
      const { name, type, baseUrl } = provider;
      if (type === SANDBOX_TYPE) return `    ${name}  built in`;
      return `    ${name}  ${type === OPENAI_TYPE ? '' : `${type}  `}${baseUrl}  ${describeCredentials(provider)}`;
    }),
    `  models       ${models.length === 0 ? 'none named' : ''}`.trimEnd(),
    ...models.map(({ id, deployments, fallbacks }) => {
      const targets = deployments.map(({ provider, model }) => `${provider}/${model}`).join(', ');
      return `    ${id}  -> ${targets}${fallbacks.length === 0 ? '' : `, then ${fallbacks.join(', ')}`}`;
    }),
    `  other models ${config.expose === 'all' ? 'reachable as provider/model' : 'not reachable'}`,
    ...(changed.length === 0 ? [] : ['  settings that are not at their defaults']),
    ...changed.map(({ name, value, from }) => `    ${name}  ${value}  (${from})`),
  ].join('\n');
}

/** Names that one line of the log has of providers, and of models. */
const MAX_NAMES = 50;

/** The configuration in use, for the log line of the start, without secrets. */
export function startFields({ role, database, redisUrl, providers, models }: Configuration): Record<string, unknown> {
  return {
    role,
    database: describeDatabase(database),
    redis: redisUrl === undefined ? 'none' : describeRedis(redisUrl),
    providers: someOf(providers.map(({ name }) => name)),
    models: someOf(models.map(({ id }) => id)),
  };
}

function someOf(names: readonly string[]): readonly string[] {
  return names.length <= MAX_NAMES ? names : [...names.slice(0, MAX_NAMES), `and ${names.length - MAX_NAMES} more`];
}

function describeDatabase(database: DatabaseConfig): string {
  return database.kind === 'sqlite' ? `SQLite ${database.path}` : `PostgreSQL ${addressOf(database.url)}`;
}

function describeRedis(url: string): string {
  const address = readRedisUrl(url);
  if (typeof address === 'string') return 'unreadable';
  return `${address.kind} ${address.nodes.map(({ host, port }) => `${host}:${port}`).join(',')}`;
}

/** Which kind of credentials a provider has; never what they are. */
function describeCredentials({ type, apiKey, furtherKeys, cloud = {} }: ProviderConfig): string {
  if (furtherKeys !== undefined) return `${furtherKeys.length + 1} keys set`;
  if (apiKey !== undefined) return 'key set';
  if (cloud.aws !== undefined) return describeAwsLogin(cloud.aws);
  if (cloud.entra !== undefined) return `Entra ID by ${ENTRA_LOGINS[cloud.entra.kind]}`;
  if (definitionOfType(type)?.credentials !== 'google-cloud') return 'no key';
  return cloud.credentialsFile === undefined ? "the machine's own login" : 'credentials file set';
}

const AWS_SOURCES = {
  keys: 'access keys set',
  profile: 'profile',
  'web-identity': 'web identity',
  container: "the container's role",
  instance: "the machine's role",
} as const;
const ENTRA_LOGINS = {
  'client-secret': 'client secret',
  'client-certificate': 'client certificate',
  'federated-token': 'federated token',
  'identity-endpoint': 'managed identity',
  instance: 'managed identity',
} as const;

function describeAwsLogin({ sources, role }: AwsLogin): string {
  const places = sources.map((source) => {
    return source.kind === 'profile' ? `${AWS_SOURCES.profile} ${source.name}` : AWS_SOURCES[source.kind];
  });
  return `${places.join(', else ')}${role === undefined ? '' : `, for the role ${role.arn}`}`;
}

/** Host, port and database of a URL; never the user or the password. */
function addressOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}
