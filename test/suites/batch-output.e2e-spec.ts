import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BatchDto } from '../../src/batch/batch.dto.js';
import { runGatewayCommand } from '../clients/command.js';
import type { GatewayClient } from '../clients/gateway-client.js';
import { freezeBetweenWrites } from '../fixtures/freeze.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { createDatabase, dropDatabase, isPostgresRun } from '../fixtures/postgres-databases.js';
import { changeDatabase, queryDatabase } from '../fixtures/query-database.js';
import {
  describeWithS3,
  startGate,
  startS3Server,
  type Gate,
  type PassedRequest,
  type S3Server,
} from '../fixtures/s3-server.js';
import { until } from '../fixtures/until.js';

const name = isPostgresRun ? 'PostgreSQL' : 'SQLite';
const BUCKET = 'batch-results';
const MEGABYTE = 1024 * 1024;
/** The server looks at the form of a signature alone. */
const SIGNED = 'AWS4-HMAC-SHA256 Credential=test/20261128/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0';
/** Three parts of results. */
const LARGE_TASKS = Array.from({ length: 18 }, (_task, index) => `${index} ${'ab'.repeat(MEGABYTE / 2)}`);

interface Refusal {
  readonly error: { readonly param: string | null; readonly message: string };
}

describeWithS3('the output of batches')(`the output of batches to a bucket (${name})`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-output-'));
  const databaseFile = isPostgresRun ? undefined : join(folder, 'gateway.sqlite');
  let server: S3Server;
  let gate: Gate;
  let databaseUrl: string;
  let gateway: RunningGateway;
  let client: GatewayClient;
  let hooks: Server;
  const notified: string[] = [];

  const start = (more: { joins?: RunningGateway } = {}): Promise<RunningGateway> =>
    startGateway({
      config: {
        sandbox: true,
        batch: {
          lease: '5s',
          output_buckets: [
            { bucket: BUCKET, prefix: 'results/', endpoint: gate.url, path_style: true },
            { bucket: BUCKET, prefix: 'own/', per_key: true, endpoint: gate.url, path_style: true },
          ],
        },
      },
      dataDirectory: folder,
      env: {
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        DATABASE_URL: databaseUrl,
        GATEWAY_ADMIN_KEY: 'Zk3v9-output-8Qm-Zk3v9-output-4Wd',
        GATEWAY_WEBHOOK_ALLOW_PRIVATE: 'true',
      },
      ...more,
    });

  beforeAll(async () => {
    server = await startS3Server(BUCKET);
    gate = await startGate(server.endpoint);
    hooks = createServer((request, response) => {
      notified.push(String(request.headers['webhook-id']));
      request.resume().on('end', () => response.writeHead(204).end());
    }).listen(0, '127.0.0.1');
    await once(hooks, 'listening');
    databaseUrl = isPostgresRun
      ? await createDatabase({ isMigrated: true })
      : `sqlite:${join(folder, 'gateway.sqlite')}`;
    gateway = await start();
    client = await gateway.newClient();
  });
  afterAll(async () => {
    await gateway.stop('SIGKILL');
    await gate.stop();
    await server.stop();
    hooks.close();
    if (isPostgresRun) await dropDatabase(databaseUrl);
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(() => {
    gate.decide = () => 'pass';
    gate.release();
  });

  async function submit(tasks: readonly unknown[], key: string | undefined, fields: object = {}): Promise<string> {
    const output = { s3: { bucket: BUCKET, ...(key !== undefined && { key }) } };
    return client.submitBatch('sandbox/echo', tasks, { output, ...fields });
  }
  async function outputOf(id: string): Promise<NonNullable<BatchDto['output']>> {
    const { output } = await client.read<BatchDto>(`/v1/batch/${id}?results=false`);
    if (output === undefined) throw new Error('the job has no output');
    return output;
  }
  async function written(id: string): Promise<NonNullable<BatchDto['output']>> {
    let output = await outputOf(id);
    await until(async () => ['written', 'failed'].includes((output = await outputOf(id)).state));
    return output;
  }
  async function objectAt(key: string): Promise<{ status: number; content: Buffer; headers: Headers }> {
    const response = await fetch(`${server.endpoint}/${BUCKET}/${key}`, { headers: { authorization: SIGNED } });
    return { status: response.status, content: Buffer.from(await response.arrayBuffer()), headers: response.headers };
  }
  async function linesOf(id: string): Promise<Buffer> {
    const response = await fetch(`${gateway.url}/v1/batch/${id}/results`, {
      headers: { authorization: `Bearer ${client.key}` },
    });
    return Buffer.from(await response.arrayBuffer());
  }
  /** The object has exactly the lines of the results, and nothing else is left in the bucket or to do. */
  async function expectWritten(id: string, key: string): Promise<void> {
    const { content } = await objectAt(key);
    expect(content.length).toBeGreaterThan(0);
    expect(content.equals(await linesOf(id))).toBe(true);
    expect(await outputOf(id)).toEqual({
      s3: { bucket: BUCKET, key },
      state: 'written',
      bytes: content.length,
      error: null,
    });
    expect(await server.unfinished()).toBe(0);
    expect(await queryDatabase(databaseUrl, 'SELECT job_id FROM batch_output')).toEqual([]);
    expect(await queryDatabase(databaseUrl, 'SELECT job_id FROM batch_output_part')).toEqual([]);
  }

  it('is one line a result, in the order of the tasks, those that failed too', async () => {
    const tasks = ['one', { custom_id: 'b', prompt: 'two \u2028 é' }, { model: 'sandbox/error', prompt: 'three' }];
    const id = await submit(tasks, 'results/day=1/a.jsonl');
    await written(id);
    await expectWritten(id, 'results/day=1/a.jsonl');
    const { content, headers } = await objectAt('results/day=1/a.jsonl');
    expect(headers.get('content-type')).toBe('application/x-ndjson');
    const lines = content.toString().trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { index: number }).index)).toEqual([0, 1, 2]);
  });

  it('is named by the job where the submission names no object or ends with a slash', async () => {
    const ids = [await submit(['x'], undefined), await submit(['x'], 'results/sub/')];
    await Promise.all(ids.map(written));
    for (const [index, id] of ids.entries()) {
      await expectWritten(id, `results/${index === 1 ? 'sub/' : ''}${id}.jsonl`);
    }
  });

  it('has the results of a job that was cancelled', async () => {
    const id = await submit(['x', 'y'], 'results/cancelled.jsonl', {
      not_before: Math.ceil(Date.now() / 1_000) + 3_600,
    });
    expect(await outputOf(id)).toMatchObject({ state: 'waiting', bytes: 0, error: null });
    await client.make(`/v1/batch/${id}/cancel`);
    await written(id);
    await expectWritten(id, 'results/cancelled.jsonl');
    expect((await objectAt('results/cancelled.jsonl')).content.toString()).toContain('"status":"cancelled"');
  });

  it('goes only where the operator allows it', async () => {
    const refused = async (s3: unknown): Promise<[number, string | null, string]> => {
      const { status, body } = await client.post<Refusal>('/v1/batch/generate', {
        model: 'sandbox/echo',
        tasks: ['x'],
        output: { s3 },
      });
      return [status, body.error.param, body.error.message];
    };
    const own = `own/${client.keyId}/`;
    for (const [s3, param, text] of [
      [{ bucket: 'other-bucket', key: 'results/x' }, 'output.s3.bucket', 'batch.output_buckets'],
      [{ bucket: BUCKET, key: 'elsewhere/x' }, 'output.s3.key', "'results/'"],
      [{ bucket: BUCKET, key: 'results' }, 'output.s3.key', "'results/'"],
      [{ bucket: BUCKET, key: 'own/x' }, 'output.s3.key', own],
      [{ bucket: BUCKET, key: 'own/key_other/x' }, 'output.s3.key', own],
      [{ bucket: BUCKET, key: 'results/../x' }, 'output.s3.key', 'letters'],
      [{ bucket: BUCKET, key: 'results/a?b' }, 'output.s3.key', 'letters'],
      [{ bucket: BUCKET, key: 'results//a' }, 'output.s3.key', 'letters'],
      [{ bucket: BUCKET, key: `results/${'a'.repeat(900)}` }, 'output.s3.key', '900'],
      [{ bucket: 'B', key: 'results/x' }, 'output.s3.bucket', 'bucket'],
      [{ key: 'results/x' }, 'output.s3.bucket', 'bucket'],
      [undefined, 'output.s3', 's3'],
      ['x', 'output.s3', 's3'],
    ] as const) {
      const [status, found, message] = await refused(s3);
      expect([s3, status, found]).toEqual([s3, 400, param]);
      expect(message).toContain(text);
    }
    const id = await submit(['x'], `${own}a.jsonl`);
    await written(id);
    await expectWritten(id, `${own}a.jsonl`);
  });

  it('is refused by default, with the setting that allows it', async () => {
    const other = await startGateway({ config: { sandbox: true } });
    try {
      const { status, body } = await (
        await other.newClient()
      ).post<Refusal>('/v1/batch/generate', {
        model: 'sandbox/echo',
        tasks: ['x'],
        output: { s3: { bucket: BUCKET, key: 'results/x' } },
      });
      expect([status, body.error.param]).toEqual([400, 'output.s3.bucket']);
      expect(body.error.message).toContain('has allowed no bucket');
      expect(body.error.message).toContain('batch.output_buckets');
    } finally {
      await other.stop('SIGKILL');
    }
  });

  it('excludes another job with the same object until it has ended', async () => {
    const later = { not_before: Math.ceil(Date.now() / 1_000) + 3_600 };
    const id = await submit(['x'], 'results/same.jsonl', later);
    const output = { s3: { bucket: BUCKET, key: 'results/same.jsonl' } };
    const second = { model: 'sandbox/echo', tasks: ['y'], output };
    expect(await client.post('/v1/batch/generate', second)).toMatchObject({
      status: 409,
      body: { error: { code: 'conflict', param: 'output.s3.key' } },
    });
    await client.make(`/v1/batch/${id}/cancel`);
    await written(id);
    const { job_id: next } = await client.make<{ job_id: string }>('/v1/batch/generate', second);
    await written(next);
    await expectWritten(next, 'results/same.jsonl');
  });

  it('is tried again while the bucket refuses it, says why, and is notified of when it has ended', async () => {
    gate.decide = () => ({ status: 403, code: 'AccessDenied' });
    const webhook = { url: `http://127.0.0.1:${(hooks.address() as AddressInfo).port}/` };
    const id = await submit(['x'], 'results/denied.jsonl', { webhook });
    await until(async () => (await outputOf(id)).error !== null);
    const { state, error } = await outputOf(id);
    expect([state, error]).toEqual(['writing', 'The bucket responded with 403 AccessDenied.']);
    expect(await queryDatabase(databaseUrl, `SELECT webhook_due_at FROM batch_job WHERE id = '${id}'`)).toEqual([
      { webhook_due_at: null },
    ]);
    gate.decide = () => 'pass';
    await written(id);
    await expectWritten(id, 'results/denied.jsonl');
    await until(() => notified.includes(`evt_${id}`));
    expect(gateway.logs()).not.toContain('AKIASECRET');
  });

  it('is abandoned when it has failed for a day, without parts that stay', async () => {
    let isDown = false;
    gate.decide = ({ url }) => {
      if (url.includes('partNumber=2')) isDown = true;
      return isDown ? { status: 503, code: 'SlowDown' } : 'pass';
    };
    const webhook = { url: `http://127.0.0.1:${(hooks.address() as AddressInfo).port}/` };
    const id = await submit(LARGE_TASKS, 'results/abandoned.jsonl', { webhook });
    await until(async () => (await outputOf(id)).error !== null);
    await changeDatabase(
      databaseUrl,
      `UPDATE batch_output SET failing_since = 0, lease_until = 0 WHERE job_id = '${id}'`,
    );
    gate.decide = ({ method }) => (method === 'DELETE' ? 'pass' : { status: 503, code: 'SlowDown' });
    expect(await written(id)).toMatchObject({ state: 'failed', error: 'The bucket responded with 503 SlowDown.' });
    await until(() => notified.includes(`evt_${id}`));
    await until(async () => (await server.unfinished()) === 0);
    expect((await objectAt('results/abandoned.jsonl')).status).toBe(404);
  });

  const isPart =
    (number: number) =>
    ({ method, url }: PassedRequest): boolean =>
      method === 'PUT' && new RegExp(`partNumber=${number}(?:&|$)`).test(url);
  const moments: [string, (request: PassedRequest) => boolean][] = [
    ['its upload was begun', ({ method, url }) => method === 'POST' && /\?uploads=?$/.test(url)],
    ['its second part', isPart(2)],
    ['its last part', isPart(3)],
    ['it was complete', ({ method, url }) => method === 'POST' && url.includes('uploadId=')],
  ];

  it.each(moments)(
    'goes on without a line lost or doubled after a process was killed when %s',
    async (what, isMoment) => {
      const key = `results/${what.replaceAll(' ', '-')}.jsonl`;
      let isFirst = true;
      gate.decide = (request) => {
        if (!isFirst || !isMoment(request)) return 'pass';
        isFirst = false;
        return 'withhold';
      };
      const id = await submit(LARGE_TASKS, key);
      await until(() => gate.withheld === 1);
      await gateway.stop('SIGKILL');
      gate.release();
      const before = gate.requests.length;
      gateway = await start();
      client = gateway.client(client.key);
      await written(id);
      await expectWritten(id, key);
      // What was recorded is not uploaded again.
      const again = gate.requests.slice(before).filter(isPart(1)).length;
      expect([what, again]).toEqual([what, what === 'its upload was begun' ? 1 : 0]);
    },
  );

  it('is the same where a process that was stopped past its lease goes on beside another one', async () => {
    const key = 'results/two-writers.jsonl';
    let isFirst = true;
    gate.decide = (request) => {
      if (!isFirst || !isPart(2)(request)) return 'pass';
      isFirst = false;
      return 'withhold';
    };
    const id = await submit(LARGE_TASKS, key);
    await until(() => gate.withheld === 1);
    await freezeBetweenWrites(gateway.pid, databaseFile);
    const other = await start();
    const stopped = gateway;
    gateway = other;
    client = other.client(client.key);
    try {
      await written(id);
      await expectWritten(id, key);
    } finally {
      process.kill(stopped.pid, 'SIGCONT');
    }
    gate.release();
    // It has seen that the output is not its own any more once it ends.
    await stopped.stop();
    await expectWritten(id, key);
  });

  it('does not replace an object that another job has written since its process was stopped', async () => {
    const key = 'results/stopped.jsonl';
    let isFirst = true;
    gate.decide = ({ method, url }) => {
      if (!isFirst || method !== 'PUT' || !url.endsWith(key)) return 'pass';
      isFirst = false;
      return 'withhold';
    };
    const id = await submit(['x'], key);
    await until(() => gate.withheld === 1);
    await freezeBetweenWrites(gateway.pid, databaseFile);
    const stopped = gateway;
    gateway = await start();
    client = gateway.client(client.key);
    let later: string;
    try {
      await written(id);
      later = await submit(['y'], key);
      await written(later);
      gate.drop();
    } finally {
      process.kill(stopped.pid, 'SIGCONT');
    }
    await until(() => stopped.logs().includes('another process has the output'));
    await stopped.stop();
    await expectWritten(later, key);
  });

  it('is begun again where the bucket has lost the upload', async () => {
    const key = 'results/lost-upload.jsonl';
    let uploads = 0;
    gate.decide = ({ method, url }) => {
      if (method === 'POST' && /\?uploads=?$/.test(url)) uploads += 1;
      return url.includes('partNumber=2') && uploads === 1 ? { status: 404, code: 'NoSuchUpload' } : 'pass';
    };
    const id = await submit(LARGE_TASKS, key);
    await written(id);
    expect(uploads).toBe(2);
    await expectWritten(id, key);
  });

  it('is named on the command line, which waits for it', async () => {
    writeFileSync(join(folder, 'tasks.jsonl'), '{"custom_id":"a","prompt":"hello"}\n');
    const run = (words: readonly string[]) =>
      runGatewayCommand(['batch', 'submit', 'tasks.jsonl', '--model', 'sandbox/echo', ...words], {
        cwd: folder,
        env: { GATEWAY_URL: gateway.url, GATEWAY_API_KEY: client.key },
      });
    const { code, stderr } = await run(['--s3', `s3://${BUCKET}/results/cli.jsonl`, '--watch']);
    const { content } = await objectAt('results/cli.jsonl');
    expect([code, content.toString()]).toEqual([0, expect.stringContaining('"custom_id":"a"')]);
    expect(stderr).toContain(`s3://${BUCKET}/results/cli.jsonl  ${content.length} bytes`);
    const refused = await run(['--s3', `s3://${BUCKET}/elsewhere`]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('output.s3.key')]);
    const misspelt = await run(['--s3', `${BUCKET}/x`]);
    expect([misspelt.code, misspelt.stderr]).toEqual([2, expect.stringContaining('--s3 must be an address')]);
  });
});
