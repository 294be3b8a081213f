import type { GatewayConfig, ProviderConfig } from './gateway-config.js';

/** A configuration in a few lines for an operator, without any secret. */
export function describeConfig(config: GatewayConfig): string {
  const { server, database, providers, models } = config;
  return [
    'The configuration is valid.',
    `  listens on   http://${server.host}:${server.port}`,
    `  database     ${database.kind === 'sqlite' ? `SQLite ${database.path}` : `PostgreSQL ${addressOf(database.url)}`}`,
    `  providers    ${providers.length === 0 ? 'none' : ''}`.trimEnd(),
    ...providers.map((provider) => {
      const { name, type, baseUrl } = provider;
      if (type === 'sandbox') return `    ${name}  built in`;
      return `    ${name}  ${type === 'openai' ? '' : `${type}  `}${baseUrl}  ${describeCredentials(provider)}`;
    }),
    `  models       ${models.length === 0 ? 'none named' : ''}`.trimEnd(),
    ...models.map(({ id, deployments, fallbacks }) => {
      const targets = deployments.map(({ provider, model }) => `${provider}/${model}`).join(', ');
      return `    ${id}  -> ${targets}${fallbacks.length === 0 ? '' : `, then ${fallbacks.join(', ')}`}`;
    }),
    `  other models ${config.expose === 'all' ? 'reachable as provider/model' : 'not reachable'}`,
  ].join('\n');
}

/** Which kind of credentials a provider has; never what they are. */
function describeCredentials({ type, apiKey, cloud }: ProviderConfig): string {
  if (apiKey !== undefined) return 'key set';
  if (cloud?.accessKeyId !== undefined) return 'access keys set';
  if (type !== 'vertex') return 'no key';
  return cloud?.credentialsFile === undefined ? "the machine's own login" : 'credentials file set';
}

/** Host, port and database of a URL; never the user or the password. */
function addressOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}
