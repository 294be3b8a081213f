import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { PYTHON_FIX, pythonEnvironment, pythonVersion } from '../../scripts/python-environment.mjs';
import { model, openAiAt } from '../fixtures/gateway-config.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';

const FOLDER = new URL('../clients/python', import.meta.url).pathname;

interface Check {
  readonly name: string;
  /** The traceback of a failed check. */
  readonly error: string | null;
}

/** Libraries, and how many checks their files have, so that none is lost. */
const LIBRARIES: readonly (readonly [library: string, checks: number])[] = [
  ['requests', 5],
  ['aiohttp', 4],
  ['openai', 14],
  ['langchain', 8],
  ['instructor', 4],
  // Blocks of docs/clients.md.
  ['page', 6],
];

async function checksOf(python: string, library: string, url: string, key: string): Promise<Check[]> {
  const child = spawn(python, ['run.py', `use_${library}`, url, key, 'fake/echo?split=byte&eol=crlf'], {
    cwd: FOLDER,
    env: { PATH: process.env['PATH'], PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  await new Promise((resolve) => child.once('close', resolve));
  if (output === '') throw new Error(errors);
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Check);
}

const isMissing = pythonVersion() === undefined;
if (isMissing) {
  // A skipped suite would look like a passed one there.
  if (process.env['CI'] !== undefined) throw new Error(PYTHON_FIX);
  console.warn(`The suite of Python clients is skipped. ${PYTHON_FIX}`);
}

(isMissing ? describe.skip : describe)('clients in Python', () => {
  let upstream: FakeUpstream;
  let gateway: RunningGateway;
  let python: string;
  let key: string;

  beforeAll(async () => {
    python = join(pythonEnvironment(join(FOLDER, 'requirements.txt')), 'python');
    upstream = await startFakeUpstream();
    gateway = await startGateway({
      config: {
        providers: { fake: openAiAt(upstream) },
        models: [model('fast', 'sandbox/echo')],
        sandbox: true,
      },
    });
    key = await gateway.apiKey();
  });
  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
  });

  it.each(LIBRARIES)('%s: all of its %i checks', async (library, count) => {
    const checks = await checksOf(python, library, gateway.url, key);
    expect(checks.filter(({ error }) => error !== null)).toEqual([]);
    expect(checks).toHaveLength(count);
  });
});
