import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { DataSource } from 'typeorm';
import { loadPepper, PEPPER_SETTING } from '../auth/pepper.js';
import type { GatewayConfig, ProviderConfig } from '../config/gateway-config.js';
import { loadConfig } from '../config/load-config.js';
import { describeError } from '../errors/describe-error.js';
import { GatewayError } from '../errors/gateway-error.js';
import { VERSION } from '../runtime/version.js';
import { say, type Command } from './command.js';
import { connectConfigured } from './configured-database.js';
import type { CredentialsKind } from '../providers/definitions/definition.js';
import { definitionOfType } from '../providers/definitions/registry.js';
import { SANDBOX_TYPE } from '../providers/definitions/sandbox.js';

/** Longest wait for the response of one server, in milliseconds. */
const RESPONSE_TIMEOUT_MS = 5_000;

/** Kinds of credentials that a login gives where there is no key. */
const LOGIN_CREDENTIALS: readonly CredentialsKind[] = ['aws', 'google-cloud', 'api-key-or-entra', 'x-api-key-or-entra'];

/** `fail` keeps the gateway from working; `warn` should be checked. */
interface Finding {
  readonly level: 'ok' | 'warn' | 'fail';
  readonly text: string;
}

const ok = (text: string): Finding => ({ level: 'ok', text });
const warn = (text: string): Finding => ({ level: 'warn', text });
const fail = (text: string): Finding => ({ level: 'fail', text });

export const DOCTOR: Command = {
  name: 'doctor',
  summary: 'tries what a start needs: configuration, database, pepper, Redis, port, providers',
  usage: '[options]',
  options: { offline: { meaning: 'does not contact the providers' } },
  maxWords: 0,
  run: async ({ flag }) => {
    let failures = 0;
    const report = (findings: readonly Finding[]): void => {
      for (const { level, text } of findings) {
        if (level === 'fail') failures += 1;
        say(`${level.padEnd(4)}  ${text}`);
      }
    };
    report([ok(`llm-gateway ${VERSION}, Node.js ${process.versions.node}, ${process.platform} ${process.arch}`)]);
    // Its faults are one error that names all of them, which the command line prints.
    const config = loadConfig();
    report([ok(`configuration: ${config.providers.length} providers, ${config.models.length} models`)]);
    report(dataDirectory(config));
    report(await database(config));
    if (config.redisUrl !== undefined) report([await redis(config.redisUrl)]);
    report([await port(config)]);
    if (!flag('offline')) {
      report(await Promise.all(config.providers.map((each) => provider(each))));
      report((await Promise.all(config.providers.map((each) => login(each)))).flat());
    }
    say(failures === 0 ? 'Nothing stands in the way of a start.' : `${failures} to fix.`);
    return failures === 0 ? 0 : 1;
  },
};

function dataDirectory({ dataDirectory: folder, auth, database: { kind } }: GatewayConfig): Finding[] {
  if (auth.pepper !== undefined && kind === 'postgres') return [];
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return [ok(`data directory ${folder}`)];
  } catch (error) {
    return [fail(`the data directory ${folder} cannot be written (${codeOf(error)}). Set GATEWAY_DATA_DIR`)];
  }
}

async function database(config: GatewayConfig): Promise<Finding[]> {
  const { database: where } = config;
  if (where.kind === 'sqlite' && where.path !== ':memory:' && !existsSync(where.path)) {
    return [ok(`database: ${where.path} will be made by the first start`)];
  }
  try {
    const dataSource = await connectConfigured(where);
    try {
      const { schemaState } = await import('../database/migrate.js');
      const { pending, unknown, executed } = await schemaState(dataSource);
      const findings = [ok(`database: ${where.kind === 'sqlite' ? `SQLite ${where.path}` : 'PostgreSQL'}`)];
      if (unknown.length > 0) findings.push(fail(`the database is of a newer version: ${unknown.join(', ')}`));
      else if (pending.length === 0) findings.push(ok('the schema is up to date'));
      else if (config.migratesAtStart) findings.push(ok(`a start runs ${pending.length} migrations`));
      else
        findings.push(
          fail(`${pending.length} migrations are pending, and GATEWAY_MIGRATE is off: llm-gateway migrate`),
        );
      if (executed.length > 0) {
        const [row] = await dataSource.query<{ value: string }[]>(
          `SELECT value FROM gateway_setting WHERE name = '${PEPPER_SETTING}'`,
        );
        findings.push(...(await pepper(config, row?.value, dataSource, pending.length === 0)));
      }
      return findings;
    } finally {
      await dataSource.destroy();
    }
  } catch (error) {
    return [fail(error instanceof Error ? error.message.replace(/^llm-gateway cannot start: /, '') : 'the database')];
  }
}

async function pepper(
  config: GatewayConfig,
  known: string | undefined,
  dataSource: DataSource,
  isUpToDate: boolean,
): Promise<Finding[]> {
  if (known === undefined) return [ok('key pepper: none is in use yet')];
  if (config.auth.pepper === undefined && !existsSync(`${config.dataDirectory}/key-pepper`)) {
    return [fail(`the key pepper is missing: restore ${config.dataDirectory}/key-pepper, or set GATEWAY_KEY_PEPPER`)];
  }
  const held = loadPepper(config);
  if (!held.holds(known)) {
    return [
      fail(
        'the key pepper is not the one that the keys were made with. Restore it, or set the one before as GATEWAY_KEY_PEPPER_PREVIOUS',
      ),
    ];
  }
  const state =
    known === held.fingerprint
      ? ok('the key pepper is the one that the keys were made with')
      : ok('the new key pepper is used as soon as every instance holds it; until then GATEWAY_KEY_PEPPER_PREVIOUS is');
  if (!isUpToDate) return [state];
  const { countKeyHashes, hashRemarks } = await import('../auth/key-hash-counts.js');
  const { Database } = await import('../database/database.js');
  const counts = await countKeyHashes(dataSource.manager, new Database(dataSource).dialect, held);
  const isDone = held.previousFingerprint !== undefined && known === held.fingerprint && counts.previous === 0;
  return [
    state,
    ...hashRemarks(counts).map((text) => warn(text)),
    ...(isDone ? [ok('no key rests on GATEWAY_KEY_PEPPER_PREVIOUS any more: take it away')] : []),
  ];
}

async function redis(url: string): Promise<Finding> {
  const { connectRedis } = await import('../redis/connect-redis.js');
  const client = connectRedis(url, { connectTimeout: RESPONSE_TIMEOUT_MS, maxRetriesPerRequest: 0, lazyConnect: true });
  // Each try to connect has its error; the last one is printed.
  let reason: unknown;
  client.on('error', (error: unknown) => {
    reason = error;
  });
  try {
    await withTimeout(client.ping());
    return ok('Redis responds');
  } catch (error) {
    return fail(`Redis does not respond (${codeOf(reason ?? error)}). Start it, or fix REDIS_URL`);
  } finally {
    client.disconnect();
  }
}

async function port({ server: { host, port: wanted } }: GatewayConfig): Promise<Finding> {
  const server = createServer();
  try {
    server.listen(wanted, host);
    await once(server, 'listening');
    return ok(`port ${wanted} on ${host} is free`);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EADDRINUSE')
      return warn(`port ${wanted} on ${host} is in use: by this gateway, or by another program`);
    return fail(`port ${wanted} on ${host} cannot be used (${code}). Set PORT and HOST`);
  } finally {
    server.close();
  }
}

/** Only whether there is a server at its address: that needs no credentials and costs nothing. */
async function provider({ name, type, baseUrl, apiKey, cloud }: ProviderConfig): Promise<Finding> {
  if (type === SANDBOX_TYPE) return ok(`provider ${name}: built in`);
  try {
    const response = await fetch(baseUrl, { method: 'HEAD', signal: AbortSignal.timeout(RESPONSE_TIMEOUT_MS) });
    await response.body?.cancel();
    const credentials = apiKey === undefined && cloud === undefined ? ', without a key' : '';
    return ok(`provider ${name}: ${new URL(baseUrl).host} responds${credentials}`);
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return warn(`provider ${name}: ${new URL(baseUrl).host} does not respond (${codeOf(cause)})`);
  }
}

/** A login to a cloud, where the provider has one. It costs nothing. */
async function login(config: ProviderConfig): Promise<Finding[]> {
  const { name, type, baseUrl, apiKey } = config;
  const credentials = definitionOfType(type)?.credentials ?? 'none';
  if (apiKey !== undefined || !LOGIN_CREDENTIALS.includes(credentials)) return [];
  const request = { method: 'GET', url: baseUrl, headers: {}, body: undefined };
  const { authorizerOf } = await import('../providers/credentials/authorize.js');
  try {
    await authorizerOf(credentials, config)(request);
    return [ok(`provider ${name}: the login works`)];
  } catch (error) {
    const reason = error instanceof GatewayError ? error.upstream?.message : undefined;
    return [warn(`provider ${name}: the login does not work. ${reason ?? codeOf(error)}`)];
  }
}

async function withTimeout<Result>(work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('no response in time')), RESPONSE_TIMEOUT_MS);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function codeOf(error: unknown): string {
  const { code, message, name } = describeError(error);
  return String(code ?? message ?? name);
}
