/**
 * `npm run test:uploads`: clients that upload 200 MB to a route that takes 1 MB get its 413. The gateway answers 413 before it has
 * the body; each client must report that status and no broken connection, each time. Python's clients are installed into
 * node_modules/.cache; curl and Python are left out where they are missing.
 *
 * Usage: node scripts/uploads.mjs [rounds, 100] [megabytes, 200]
 */
import { spawnSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Agent, request } from 'undici';
import { startGatewayProcess } from './gateway-process.mjs';

const PYTHON_CLIENTS = ['requests==2.32.5', 'aiohttp==3.13.2'];
const MEGABYTE = 1024 * 1024;
const ROUTE = '/v1/admin/keys';

const root = new URL('..', import.meta.url).pathname;
const rounds = Number(process.argv[2] ?? 100);
const size = Number(process.argv[3] ?? 200) * MEGABYTE;
const folder = mkdtempSync(join(tmpdir(), 'gateway-uploads-'));

/** A body that is made while it is sent, without a length. */
function* pieces() {
  const piece = Buffer.alloc(MEGABYTE, ' ');
  for (let sent = 0; sent < size; sent += piece.length) yield piece;
}

const PYTHON = `
import asyncio, collections, json, sys
name, url, key, rounds, size = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
headers = {'authorization': 'Bearer ' + key, 'content-type': 'application/json'}
seen = collections.Counter()
def pieces():
    piece = b' ' * 1048576
    for _ in range(size // len(piece)):
        yield piece
async def async_pieces():
    for piece in pieces():
        yield piece
def with_requests(stream):
    import requests
    body = b' ' * size
    with requests.Session() as session:
        for _ in range(rounds):
            try:
                seen[str(session.post(url, data=pieces() if stream else body, headers=headers).status_code)] += 1
            except Exception as error:
                seen[type(error).__name__] += 1
async def with_aiohttp(stream):
    import aiohttp, io
    body = b' ' * size
    async with aiohttp.ClientSession() as session:
        for _ in range(rounds):
            try:
                data = async_pieces() if stream else io.BytesIO(body)
                async with session.post(url, data=data, headers=headers) as response:
                    await response.read()
                    seen[str(response.status)] += 1
            except Exception as error:
                seen[type(error).__name__] += 1
client, kind = name.split(' ')
if client == 'requests':
    with_requests(kind == 'streamed')
else:
    asyncio.run(with_aiohttp(kind == 'streamed'))
print(json.dumps(seen))
`;

function python() {
  const environment = join(root, 'node_modules/.cache/uploads', PYTHON_CLIENTS.join('_'));
  const executable = join(environment, 'bin/python');
  if (existsSync(join(environment, 'ready'))) return executable;
  for (const { command, args } of [
    { command: 'python3', args: ['-m', 'venv', '--clear', environment] },
    {
      command: executable,
      args: ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PYTHON_CLIENTS],
    },
  ]) {
    const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
    if (status !== 0) {
      console.log(`Python's clients are left out: ${error?.message ?? `${command} ${args.join(' ')} failed`}`);
      return undefined;
    }
  }
  writeFileSync(join(environment, 'ready'), '');
  return executable;
}

async function outputOf(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece) => (text += piece));
  await once(child, 'close');
  return text;
}

/** @returns how often each status, or error, was seen */
async function repeat(send) {
  const seen = {};
  for (let round = 0; round < rounds; round += 1) {
    let outcome;
    try {
      outcome = String(await send());
    } catch (error) {
      outcome = error.cause?.code ?? error.code ?? error.name;
    }
    seen[outcome] = (seen[outcome] ?? 0) + 1;
  }
  return seen;
}

function clientsOf(url, key) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const body = Buffer.alloc(size, ' ');
  const file = join(folder, 'body');
  writeFileSync(file, body);
  const agent = new Agent();
  const read = async (response) => {
    await response.text();
    return response.status;
  };
  const byUndici = async (options) => {
    const { statusCode, body: incoming } = await request(url, {
      method: 'POST',
      headers,
      dispatcher: agent,
      ...options,
    });
    await incoming.text();
    return statusCode;
  };
  const byCurl = (...options) =>
    outputOf('curl', [
      ...['--silent', '--output', '/dev/null', '--write-out', '%{http_code} %{exitcode}'],
      ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
      ...[...options, '--request', 'POST', url],
    ]).then((text) => (text.endsWith(' 0') ? text.slice(0, -2) : text));
  const clients = {
    'fetch whole': () => repeat(async () => read(await fetch(url, { method: 'POST', headers, body }))),
    'fetch streamed': () =>
      repeat(async () =>
        read(
          await fetch(url, { method: 'POST', headers, body: Readable.toWeb(Readable.from(pieces())), duplex: 'half' }),
        ),
      ),
    'undici whole': () => repeat(() => byUndici({ body })),
    'undici streamed': () => repeat(() => byUndici({ body: Readable.from(pieces()) })),
  };
  if (spawnSync('curl', ['--version']).status === 0) {
    clients['curl'] = () => repeat(() => byCurl('--data-binary', `@${file}`));
    clients['curl without expect'] = () => repeat(() => byCurl('--header', 'expect:', '--data-binary', `@${file}`));
    clients['curl streamed'] = () =>
      repeat(() => byCurl('--header', 'expect:', '--upload-file', file, '--header', 'transfer-encoding: chunked'));
  }
  const executable = python();
  if (executable !== undefined) {
    const program = join(folder, 'client.py');
    writeFileSync(program, PYTHON);
    for (const name of ['requests whole', 'requests streamed', 'aiohttp whole', 'aiohttp streamed']) {
      const args = [program, name, url, key, String(rounds), String(size)];
      clients[name] = async () => JSON.parse(await outputOf(executable, args));
    }
  }
  return clients;
}

let isBroken = false;
const adminKey = randomBytes(24).toString('base64url');
const { url, child } = await startGatewayProcess({ application: root, folder, adminKey });
try {
  for (const [name, run] of Object.entries(clientsOf(`${url}${ROUTE}`, adminKey))) {
    const started = performance.now();
    const seen = await run();
    const isRight = seen['413'] === rounds;
    if (!isRight) isBroken = true;
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    console.log(`${isRight ? 'ok    ' : 'FAILED'} ${name.padEnd(20)} ${JSON.stringify(seen)} in ${seconds} s`);
  }
} finally {
  child.removeAllListeners('exit');
  child.kill();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(isBroken ? 1 : 0);
