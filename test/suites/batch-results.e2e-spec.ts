import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { get, request, type IncomingMessage } from 'node:http';
import type { DataSource } from 'typeorm';
import { POSTGRES, runSql, SQLITE } from '../../src/database/sql.js';
import { loadConfig } from '../../src/config/load-config.js';
import { openDatabase } from '../../src/database/open-database.js';
import { SCHEMA } from '../../src/schema.js';
import type { BatchDto } from '../../src/batch/batch.dto.js';
import type { GatewayClient } from '../clients/gateway-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { until } from '../fixtures/until.js';

const MEGABYTE = 1024 * 1024;
const LARGE_RESULTS = 60;
const MAX_WATCHERS = 100;
const MAX_READERS = 16;

function completion(content: string, rest = ''): string {
  return `{"status_code":200,"request_id":"req_1","body":{"id":"c","object":"chat.completion","created":1700000000,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":${JSON.stringify(content)},"refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}${rest}}}`;
}

describe(`what goes out of batches (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  let gateway: RunningGateway;
  let dataSource: DataSource;
  let client: GatewayClient;
  let number = 0;

  beforeAll(async () => {
    gateway = await startGateway({ config: { sandbox: true } });
    const { database } = loadConfig({ env: { DATABASE_URL: gateway.databaseUrl }, cwd: gateway.dataDirectory });
    dataSource = await openDatabase(database, SCHEMA);
    client = await gateway.newClient();
  });
  afterAll(async () => {
    await dataSource.destroy();
    await gateway.stop();
  });

  async function sql(statement: string, parameters: readonly unknown[]): Promise<void> {
    await runSql(dataSource.manager, isPostgresRun ? POSTGRES : SQLITE, statement, parameters);
  }
  /** A job whose tasks another process runs, as far as this one knows. */
  async function insertJob(status: string, owner = client.keyId): Promise<string> {
    const id = `batch_${String((number += 1)).padStart(24, '0')}`;
    await sql(
      `INSERT INTO batch_job (id, key_id, model, defaults, priority, status, task_count, submitted_at, expires_at)
       VALUES ($1, $2, 'sandbox/echo', '{}', 'normal', $3, 1, 0, 4000000000000)`,
      [id, owner, status],
    );
    return id;
  }
  async function insertResults(
    jobId: string,
    {
      from,
      count,
      response = null,
      error = null,
    }: { from: number; count: number; response?: string | null; error?: string | null },
  ): Promise<void> {
    await sql('UPDATE batch_job SET task_count = $2, completed_count = completed_count + $3 WHERE id = $1', [
      jobId,
      from + count + 5_000,
      count,
    ]);
    await sql(
      `WITH RECURSIVE n(i) AS (SELECT CAST($2 AS INTEGER) UNION ALL SELECT i + 1 FROM n WHERE i < $3)
       INSERT INTO batch_task (job_id, task_index, custom_id, request, status, attempts, response, error)
       SELECT $1, i, 'task-' || i, '{}', $4, 1, CAST($5 AS TEXT), CAST($6 AS TEXT) FROM n`,
      [jobId, from, from + count - 1, error === null ? 'succeeded' : 'failed', response, error],
    );
  }
  const headers = (): Record<string, string> => ({ authorization: `Bearer ${client.key}` });
  const readPage = (jobId: string, query: string): Promise<BatchDto> => client.read(`/v1/batch/${jobId}${query}`);
  /** A response whose client does not read it. */
  async function open(path: string): Promise<IncomingMessage> {
    const [response] = (await once(
      get(`${gateway.url}${path}`, { headers: headers(), agent: false }).on('error', () => undefined),
      'response',
    )) as [IncomingMessage];
    response.on('error', () => undefined);
    return response;
  }
  async function openMany(path: string, count: number): Promise<IncomingMessage[]> {
    const responses: IncomingMessage[] = [];
    while (responses.length < count) responses.push(await open(path));
    expect(responses.map(({ statusCode }) => statusCode)).toEqual(Array.from({ length: count }, () => 200));
    return responses;
  }
  function rss(): number {
    const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes) * 1024;
  }

  it('is the stored JSON as it stands, with all fields, in pages and lines alike', async () => {
    const id = await insertJob('completed');
    const odd = completion('\u0000 \ud83d\ude00 \ud83d "\\"', ',"seed":12345678901234567890.10,"usage2":1');
    const failure = '{"message":"no","type":"server_error","param":null,"code":"upstream_error"}';
    await insertResults(id, { from: 3, count: 1, response: odd });
    await insertResults(id, { from: 5, count: 1, error: failure });
    const { text: lines } = await client.get(`/v1/batch/${id}/results`);
    const expected = [
      `{"index":3,"custom_id":"task-3","status":"succeeded","response":${odd},"error":null,"attempts":1,"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}`,
      `{"index":5,"custom_id":"task-5","status":"failed","response":null,"error":${failure},"status_code":502,"request_id":null,"attempts":1,"usage":null}`,
    ];
    expect(lines).toBe(`${expected.join('\n')}\n`);
    const response = await client.get(`/v1/batch/${id}?limit=2`);
    const page = response.text;
    expect(response.header('content-type')).toBe('application/json; charset=utf-8');
    expect(Number(response.header('content-length'))).toBe(Buffer.byteLength(page));
    expect(page).toContain(`"results":[${expected.join(',')}],"has_more":false,"next":null}`);
    expect(await readPage(id, '?limit=1')).toMatchObject({ job_id: id, has_more: true, next: 3 });
    expect((await readPage(id, '?after=3')).results).toHaveLength(1);
    expect((await readPage(id, '?results=false')).results).toEqual([]);
  });

  it('answers HEAD with the head alone, at once, on every route', async () => {
    const id = await insertJob('in_progress');
    const agentRequest = request(`${gateway.url}/v1/batch/${id}/events`, { method: 'HEAD', headers: headers() });
    const [response] = (await once(agentRequest.end(), 'response')) as [IncomingMessage];
    await once(response.resume(), 'end');
    expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    for (const path of ['', '/results', '/events']) {
      const head = await client.send('HEAD', `/v1/batch/${id}${path}`);
      expect([head.status, head.text]).toEqual([200, '']);
    }
  });

  describe('when results are large', () => {
    let id: string;
    /** In Japanese, so that pieces end within characters. */
    const huge = completion('日本語'.repeat(MEGABYTE));

    beforeAll(async () => {
      id = await insertJob('completed');
      await insertResults(id, { from: 0, count: LARGE_RESULTS, response: completion('w '.repeat(MEGABYTE / 2)) });
      await insertResults(id, { from: LARGE_RESULTS, count: 1, response: huge });
    });

    it('is read by bytes: eight readers cost a part of what they are sent, and others are served meanwhile', async () => {
      const before = rss();
      let peak = before;
      let responses = 0;
      const ended = new AbortController();
      const watch = (async () => {
        while (!ended.signal.aborted) {
          await client.get('/health/live');
          responses += 1;
          peak = Math.max(peak, rss());
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      })();
      const sizes = await Promise.all(
        Array.from({ length: 8 }, async () => {
          const response = await open(`/v1/batch/${id}/results`);
          let bytes = 0;
          for await (const part of response) bytes += (part as Buffer).length;
          return bytes;
        }),
      );
      ended.abort();
      await watch;
      const [first = 0] = sizes;
      expect(first).toBeGreaterThan(LARGE_RESULTS * MEGABYTE + Buffer.byteLength(huge));
      expect(new Set(sizes).size).toBe(1);
      expect(peak - before).toBeLessThan((8 * first) / 3);
      // One that read all of it in one piece would have answered once, in the end.
      expect(responses).toBeGreaterThan(3);
    });

    it('ends a page at its bytes, and the next goes on behind it', async () => {
      const seen: number[] = [];
      let after = '';
      for (;;) {
        const page = await readPage(id, `?limit=1000${after}`);
        expect(page.results.length).toBeLessThan(20);
        seen.push(...page.results.map(({ index }) => index));
        if (!page.has_more) {
          expect(page.results.at(-1)?.response).toEqual(JSON.parse(huge) as unknown);
          break;
        }
        expect(page.next).toBe(seen.at(-1));
        after = `&after=${page.next}`;
      }
      expect(seen).toEqual(Array.from({ length: LARGE_RESULTS + 1 }, (_, index) => index));
    });

    it('limits large responses for each key, and counts one no longer when its client goes', async () => {
      const stalled = await openMany(`/v1/batch/${id}/results`, MAX_READERS);
      const refused = await client.get(`/v1/batch/${id}?limit=1000`);
      expect(refused.status).toBe(429);
      expect(refused.body).toMatchObject({ error: { code: 'rate_limit_exceeded' } });
      expect(refused.header('retry-after')).toBe('1');
      // What is small is not limited.
      expect((await readPage(id, '?results=false')).results).toEqual([]);
      stalled.pop()?.destroy();
      await until(async () => {
        const response = await open(`/v1/batch/${id}/results`);
        response.destroy();
        return response.statusCode === 200;
      });
      for (const response of stalled) response.destroy();
    });
  });

  it('limits event streams for each key, and counts one no longer when its client goes', async () => {
    const id = await insertJob('in_progress');
    const path = `/v1/batch/${id}/events`;
    const watchers = await openMany(path, MAX_WATCHERS);
    const refused = await client.get(path);
    expect(refused.status).toBe(429);
    expect(refused.body).toMatchObject({ error: { type: 'rate_limit_error', code: 'rate_limit_exceeded' } });
    const other = await gateway.newClient();
    const theirs = await insertJob('completed', other.keyId);
    expect((await other.get(`/v1/batch/${theirs}/events`)).text.endsWith('data: [DONE]\n\n')).toBe(true);
    watchers.pop()?.destroy();
    await until(async () => {
      const response = await open(path);
      if (response.statusCode === 200) watchers.push(response);
      return response.statusCode === 200;
    });
    // One look notifies all of them, of a change that another process made as well.
    const texts = watchers.map(async (response) => {
      let text = '';
      for await (const part of response.setEncoding('utf8')) text += part as string;
      return text;
    });
    await sql(`UPDATE batch_job SET status = 'completed', completed_count = 1, completed_at = 1000 WHERE id = $1`, [
      id,
    ]);
    for (const text of await Promise.all(texts)) {
      expect(text).toMatch(/^data: \{.*"in_progress".*\}\n\ndata: \{.*"completed".*\}\n\ndata: \[DONE\]\n\n$/);
    }
  });

  it('notifies watchers of a job of its deletion, and at a shutdown that it continues elsewhere', async () => {
    const [deleted, running] = [await insertJob('in_progress'), await insertJob('in_progress')];
    const [first, second] = await Promise.all([
      open(`/v1/batch/${deleted}/events`),
      open(`/v1/batch/${running}/events`),
    ]);
    const read = async (response: IncomingMessage): Promise<string> => {
      let text = '';
      for await (const part of response.setEncoding('utf8')) text += part as string;
      return text;
    };
    const texts = [read(first), read(second)];
    await sql('DELETE FROM batch_job WHERE id = $1', [deleted]);
    expect(await texts[0]).toMatch(/"code":"not_found"\}\}\n\n$/);
    process.kill(gateway.pid, 'SIGTERM');
    expect(await texts[1]).toMatch(/shutting down.*\}\}\n\n$/);
  });
});
