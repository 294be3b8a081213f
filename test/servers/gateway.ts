import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gatewayOrigins } from './gateway-origins.js';
import { createDatabase, dropDatabase, isPostgresRun } from './postgres-databases.js';
import { noteProcess } from './started-processes.mjs';

const ENTRY = new URL('../../dist/main.js', import.meta.url).pathname;
const COMMAND = new URL('../../bin/llm-gateway.mjs', import.meta.url).pathname;
/** Only ends a start that would never end: on a busy machine one takes many times its usual second. */
const START_TIMEOUT = 90_000;

export interface GatewayOptions {
  /** The text of gateway.yaml; without it there is no file. */
  readonly config?: string;
  /** Variables to add; an empty string takes one of the defaults away. */
  readonly env?: Readonly<Record<string, string>>;
  /** Starts it as `llm-gateway start`. */
  readonly byCommand?: boolean;
  /** Most files and connections that the process may have open, as by `ulimit -n`. */
  readonly descriptors?: number;
  /** Kept after the stop; without it a folder of its own, which is removed. */
  readonly dataDirectory?: string;
}

/** The built application as a process of its own, as an operator starts it. */
export interface RunningGateway {
  readonly url: string;
  readonly adminKey: string;
  readonly pid: number;
  readonly dataDirectory: string;
  readonly databaseUrl: string;
  /** Milliseconds from the start of the process to its listening line. */
  readonly startedIn: number;
  /** A new key with the scope `inference`. */
  apiKey(fields?: object): Promise<string>;
  /** Standard output and standard error so far. */
  logs(): string;
  stop(signal?: NodeJS.Signals): Promise<StopResult>;
}

export interface StopResult {
  readonly code: number | null;
  readonly milliseconds: number;
}

export interface FailedStart {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Launched {
  child: ChildProcess;
  folder: string;
  databaseUrl: string;
  adminKey: string;
  output: { stdout: string; stderr: string };
  cleanUp: () => Promise<void>;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

async function launch({
  config,
  env = {},
  dataDirectory,
  byCommand = false,
  descriptors,
}: GatewayOptions): Promise<Launched> {
  const folder = dataDirectory ?? mkdtempSync(join(tmpdir(), 'gateway-'));
  const ownDatabase = isPostgresRun && env['DATABASE_URL'] === undefined ? await createDatabase() : undefined;
  const databaseUrl = env['DATABASE_URL'] ?? ownDatabase ?? `sqlite:${join(folder, 'gateway.sqlite')}`;
  const adminKey = env['GATEWAY_ADMIN_KEY'] ?? randomBytes(24).toString('base64url');
  if (config !== undefined) writeFileSync(join(folder, 'gateway.yaml'), config);
  const command = [process.execPath, ...(byCommand ? [COMMAND, 'start'] : [ENTRY])];
  const [program, ...args] =
    descriptors === undefined ? command : ['sh', '-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh', ...command];
  const child = spawn(program ?? '', args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      PORT: '0',
      LOG_FORMAT: 'json',
      GATEWAY_DATA_DIR: folder,
      DATABASE_URL: databaseUrl,
      GATEWAY_ADMIN_KEY: adminKey,
      ...env,
    },
  });
  running.add(child);
  noteProcess(child);
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  child.once('exit', () => running.delete(child));
  const cleanUp = async (): Promise<void> => {
    if (dataDirectory === undefined) rmSync(folder, { recursive: true, force: true });
    if (ownDatabase !== undefined) await dropDatabase(ownDatabase);
  };
  return { child, folder, databaseUrl, adminKey, output, cleanUp };
}

/** Starts the application and waits until it listens. */
export async function startGateway(options: GatewayOptions = {}): Promise<RunningGateway> {
  const started = performance.now();
  const { child, folder, databaseUrl, adminKey, output, cleanUp } = await launch(options);
  const url = await new Promise<string>((resolve, reject) => {
    const fail = (reason: string): void => {
      reject(new Error(`the gateway ${reason}:\n${output.stdout}\n${output.stderr}`));
    };
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`did not listen within ${START_TIMEOUT} ms`);
    }, START_TIMEOUT);
    child.once('exit', (code) => {
      clearTimeout(timer);
      fail(`ended with code ${code} instead of listening`);
    });
    child.stdout?.on('data', () => {
      const line = output.stdout.split('\n').find((each) => each.includes('"msg":"listening"') && each.endsWith('}'));
      if (line === undefined) return;
      clearTimeout(timer);
      resolve((JSON.parse(line) as { url: string }).url);
    });
  });
  const startedIn = performance.now() - started;
  gatewayOrigins.add(new URL(url).origin);
  return {
    url,
    adminKey,
    pid: child.pid ?? 0,
    dataDirectory: folder,
    databaseUrl,
    startedIn,
    logs: () => output.stdout + output.stderr,
    apiKey: async (fields = {}) => {
      const response = await fetch(`${url}/v1/admin/keys`, {
        method: 'POST',
        headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'test', ...fields }),
      });
      const body = (await response.json()) as { key?: string };
      if (body.key === undefined) throw new Error(`no key was made: ${JSON.stringify(body)}`);
      return body.key;
    },
    stop: async (signal = 'SIGTERM') => {
      const stopping = performance.now();
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill(signal);
        await exited;
      }
      const milliseconds = performance.now() - stopping;
      await cleanUp();
      return { code: child.exitCode, milliseconds };
    },
  };
}

/** Starts the application where it must refuse to start, and gives back what it said. */
export async function startExpectingFailure(options: GatewayOptions = {}): Promise<FailedStart> {
  const { child, output, cleanUp } = await launch(options);
  const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT);
  await once(child, 'close');
  clearTimeout(timer);
  await cleanUp();
  return { code: child.exitCode, ...output };
}
