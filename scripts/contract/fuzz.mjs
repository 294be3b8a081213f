/** Schemathesis over the served document, as an administrator and with an ordinary key, on SQLite and on PostgreSQL with Redis. */
import { createServer } from 'node:http';
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres } from '../../test/fixtures/postgres-server.mjs';
import { startGatewayProcess } from '../gateway-process.mjs';
import { startRedis } from './redis.mjs';

/** Requests of a generated test; more time is used for further ones. */
const MAX_EXAMPLES = 40;
/** Threads of Schemathesis: with several, the parser of some versions of Python 3.11 fails. */
const WORKERS = 1;

/**
 * @param {object} options
 * @param {string} options.root folder of the project
 * @param {string} options.folder for databases
 * @param {string} options.python folder of the programs of Python
 * @param {number} options.seed
 * @param {number} options.seconds of each of the four runs
 * @param {(name: string, command: string, args: readonly string[], settings?: object) => Promise<boolean>} options.run
 */
export async function fuzz({ root, folder, python, seed, seconds, run }) {
  const receiver = await startReceiver();
  const postgres = await startPostgres();
  const redis = await startRedis(folder);
  try {
    for (const { database, variables } of [
      { database: 'SQLite', variables: {} },
      { database: 'PostgreSQL', variables: { DATABASE_URL: postgres.url, REDIS_URL: redis.url } },
    ]) {
      const data = join(folder, database);
      mkdirSync(data);
      const gateway = await startFuzzedGateway(root, data, variables);
      try {
        for (const { role, keyOf } of [
          { role: 'an administrator', keyOf: async () => gateway.adminKey },
          // Made after the administrator's run, which revokes keys.
          { role: 'an ordinary key', keyOf: () => ordinaryKey(gateway) },
        ]) {
          const args = [
            '--config-file',
            join(root, 'test/contract/schemathesis.toml'),
            'run',
            `${gateway.url}/docs-json`,
          ];
          const bounds = ['--max-time', seconds, '--max-examples', MAX_EXAMPLES, '--workers', WORKERS, '--seed', seed];
          const quiet = ['--checks', 'all', '--generation-database', 'none', '--no-color', '--no-shrink'];
          await run(
            `Schemathesis on ${database} as ${role}, seed ${seed}`,
            join(python, 'schemathesis'),
            [...args, ...bounds.map(String), ...quiet],
            {
              cwd: data,
              env: {
                ...process.env,
                GATEWAY_KEY: await keyOf(),
                WEBHOOK_URL: receiver.url,
                PYTHONPATH: join(root, 'test/contract'),
                PYTHONDONTWRITEBYTECODE: '1',
              },
            },
          );
        }
      } finally {
        gateway.child.removeAllListeners('exit');
        gateway.child.kill();
      }
    }
  } finally {
    receiver.server.close();
    await redis.stop();
    await postgres.stop();
  }
}

/** The sandbox is its only provider, so that no request leaves the machine. */
async function startFuzzedGateway(root, folder, variables) {
  const adminKey = randomBytes(24).toString('base64url');
  const env = {
    GATEWAY_WEBHOOK_ALLOW_PRIVATE: 'true',
    GATEWAY_REQUEST_LOG_KEY: randomBytes(32).toString('base64'),
    ...variables,
  };
  return { adminKey, ...(await startGatewayProcess({ application: root, folder, adminKey, env })) };
}

async function ordinaryKey({ url, adminKey }) {
  const response = await fetch(`${url}/v1/admin/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'ordinary' }),
  });
  const { key } = /** @type {{ key: string }} */ (await response.json());
  return key;
}

async function startReceiver() {
  const server = createServer((request, response) => request.resume().on('end', () => response.end()));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { server, url: `http://127.0.0.1:${port}/` };
}
