import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../fixtures/debian-package.mjs';
import { noteProcess } from '../fixtures/started-processes.mjs';
import { until } from '../fixtures/until.js';

const MAIN = new URL('../../dist/main.js', import.meta.url).pathname;
const ADMIN_KEY = 'fixture-Zk81PqLm20XvRt7Yw3Hc';
/** Requests whose lines in the log are more than a pipe holds. */
const REQUESTS = 1_500;

/** A gateway whose log cannot be written must serve and end as any other. */
describe('a log that cannot be written', () => {
  let folder: string;
  let child: ChildProcess;
  let url: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'log-output-'));
  });
  afterEach(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(format: string, redirection: string): Promise<void> {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    child = spawn('sh', ['-c', `exec "$0" "$1" ${redirection}`, process.execPath, MAIN], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        PATH: process.env['PATH'],
        PORT: String(port),
        LOG_FORMAT: format,
        GATEWAY_ADMIN_KEY: ADMIN_KEY,
        GATEWAY_DATA_DIR: folder,
        DATABASE_URL: `sqlite:${join(folder, 'gateway.sqlite')}`,
      },
    });
    noteProcess(child);
    await until(() =>
      fetch(`${url}/health/live`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
  }

  async function ask(count: number): Promise<void> {
    for (let request = 0; request < count; request += 1) {
      const response = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } });
      expect(response.status).toBe(200);
      await response.text();
    }
  }

  async function stop(): Promise<unknown[]> {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    return ended;
  }

  it.each(['json', 'pretty'])('a full disk (%s) stops nothing', async (format) => {
    await start(format, '> /dev/full');
    await ask(20);
    expect(await stop()).toEqual([0, null]);
  });

  it('a reader that has ended stops nothing', async () => {
    await start('json', '');
    child.stdout?.destroy();
    await ask(20);
    expect(await stop()).toEqual([0, null]);
  });

  it('a reader that reads nothing stops no request, and gets the rest when it reads again', async () => {
    await start('json', '');
    child.stdout?.pause();
    await ask(REQUESTS);
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    child.stdout?.resume();
    await until(() => text.split('"route":"/v1/models"').length >= REQUESTS);
    expect(await stop()).toEqual([0, null]);
  });

  it('a reader that reads nothing does not prevent the end', async () => {
    await start('json', '');
    child.stdout?.pause();
    await ask(REQUESTS);
    expect(await stop()).toEqual([0, null]);
  });
});
