import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { runGatewayCommand, type CommandResult } from '../clients/command.js';
import type { GatewayClient } from '../clients/gateway-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { openAiAt } from '../fixtures/gateway-config.js';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';

interface Result {
  readonly index: number;
  readonly custom_id: string;
  readonly response: {
    readonly body: { readonly choices: { readonly message: { readonly content: string } }[] };
  } | null;
}

/** Passes on to a gateway, and breaks the responses to downloads after some bytes where `breakAfter` has a number. */
async function breakingProxy(target: string): Promise<{ url: string; server: Server; breakAfter: number[] }> {
  const breakAfter: number[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const { host: _host, connection: _connection, ...headers } = request.headers;
      const answer = await fetch(`${target}${request.url ?? ''}`, { headers: headers as Record<string, string> });
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
      const bytes = Buffer.from(await answer.arrayBuffer());
      const limit = /\/results(?:\?|$)/.test(request.url ?? '') ? breakAfter.shift() : undefined;
      if (limit === undefined) response.end(bytes);
      else response.write(bytes.subarray(0, limit), () => response.destroy());
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, breakAfter };
}

describe('llm-gateway batch', () => {
  let upstream: FakeUpstream;
  let gateway: RunningGateway;
  let client: GatewayClient;
  let folder: string;

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    gateway = await startGateway({ config: { sandbox: true, providers: { fake: openAiAt(upstream) } } });
    client = await gateway.newClient();
    folder = mkdtempSync(join(tmpdir(), 'gateway-batch-'));
  });
  afterAll(async () => {
    await gateway.stop('SIGKILL');
    await upstream.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const run = (
    words: readonly string[],
    env: Readonly<Record<string, string>> = {},
    input?: string | Buffer,
  ): Promise<CommandResult> =>
    runGatewayCommand(['batch', ...words], {
      cwd: folder,
      env: { GATEWAY_URL: gateway.url, GATEWAY_API_KEY: client.key, ...env },
      ...(input !== undefined && { input }),
    });
  const file = (name: string, content: string | Buffer): string => {
    writeFileSync(join(folder, name), content);
    return name;
  };
  const resultsIn = (name: string): Result[] =>
    readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Result);
  const textsIn = (name: string): (string | undefined)[] =>
    resultsIn(name).map(({ response }) => response?.body.choices[0]?.message.content);
  const chatLine = (content: string): string =>
    JSON.stringify({ custom_id: content, body: { model: 'sandbox/echo', messages: [{ role: 'user', content }] } });

  it('goes from a file to its results in one command, for files of any system', async () => {
    const texts = ['Zoë \u2028 1', 'two', 'three'];
    const lines = `\ufeff${chatLine(texts[0] ?? '')}\r\n\r\n${chatLine('two')}\r\n  \n${chatLine('three')}`;
    for (const [name, content] of [
      ['windows.jsonl', lines],
      ['compressed.jsonl.gz', gzipSync(lines)],
    ] as const) {
      const output = `${name}.results`;
      const done = await run(['submit', file(name, content), '--output', output]);
      expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining('3 results, 3 succeeded') as string });
      expect(done.stdout).toMatch(/^batch_[0-9a-f]{24} {2}3 tasks\n/);
      expect(done.stderr).toContain('completed 3/3');
      expect(textsIn(output)).toEqual(texts);
    }
  });

  it('reads tasks from standard input, also compressed, and names a faulty line of it', async () => {
    const lines = `${chatLine('piped')}\r\n\n${chatLine('again')}`;
    for (const [name, input] of [
      ['piped.results', lines],
      ['compressed.results', gzipSync(lines)],
    ] as const) {
      const done = await run(['submit', '-', '--output', name], {}, input);
      expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining('2 results, 2 succeeded') as string });
      expect(textsIn(name)).toEqual(['piped', 'again']);
    }
    const faulty = await run(['submit', '-', '--model', 'sandbox/echo'], {}, '"fine"\n{"prompt":\n');
    expect(faulty).toMatchObject({ code: 2, stderr: expect.stringContaining('standard input:2') as string });
    expect((await run(['submit', '-'], {}, '')).code).not.toBe(0);
  });

  it('takes tasks of any form, options of a job, and says what each command did', async () => {
    const prompts = file(
      'prompts.jsonl',
      '"a"\n{"prompt":"b","seed":9007199254740993}\n{"messages":[{"role":"user","content":"a"}]}\n',
    );
    const submitted = await run([
      'submit',
      prompts,
      '--model',
      'fake/echo',
      '--concurrency',
      '1',
      '--dedupe',
      '--json',
    ]);
    expect(submitted.code).toBe(0);
    const { job_id: id } = JSON.parse(submitted.stdout) as { job_id: string };
    const watched = await run(['watch', id]);
    expect(watched).toMatchObject({ code: 0, stderr: expect.stringMatching(/completed 3\/3\n$/) as string });
    const job = await client.readBatch(id);
    expect(job.control).toMatchObject({ concurrency: 1, dedupe: true });
    expect((await upstream.requests()).map(({ body }) => JSON.stringify(body))).toHaveLength(2);
    const printed = await run(['results', id]);
    expect(printed.stdout.split('\n').slice(0, -1)).toHaveLength(3);
    const listed = await run(['list', '--json']);
    expect(listed.stdout).toContain(id);
    expect((await run(['list', '--limit', '1'])).stdout.split('\n')).toHaveLength(2);
    const estimate = await run(['estimate', prompts, '--model', 'fake/echo', '--rpm', '1']);
    expect(estimate).toMatchObject({ code: 0, stdout: expect.stringContaining('price unknown') as string });
    expect(estimate.stdout).toContain('180 seconds at least');
    expect((await run(['estimate', prompts, '--model', 'fake/echo', '--json'])).stdout).toContain('batch.estimate');
  });

  it('cancels, and retries what failed; the exit code says that tasks failed', async () => {
    const tasks = file(
      'mixed.jsonl',
      '{"model":"fake/status-400","prompt":"x"}\n{"model":"sandbox/echo","prompt":"y"}\n',
    );
    const mixed = await run(['submit', tasks, '--watch']);
    expect(mixed).toMatchObject({ code: 3, stderr: expect.stringContaining('completed 2/2, 1 failed') as string });
    const id = /batch_\w+/.exec(mixed.stdout)?.[0] ?? '';
    const retried = await run(['retry', id, '--watch']);
    expect(retried.stdout).toMatch(/^batch_\w+ {2}1 tasks\n/);
    expect(retried.code).toBe(3);
    expect((await run(['retry', id, '--status', 'expired'])).stderr).toContain('nothing to retry');
    const slow = await run(['submit', file('slow.jsonl', '{"model":"fake/echo?delay=60000","prompt":"x"}\n')]);
    const slowId = /batch_\w+/.exec(slow.stdout)?.[0] ?? '';
    expect(slow.stderr).toContain(`llm-gateway batch watch ${slowId}`);
    expect((await run(['results', slowId, '--output', 'early'])).stderr).toContain('has not ended');
    expect(await run(['cancel', slowId])).toMatchObject({ code: 0, stdout: expect.stringContaining(slowId) as string });
    expect((await run(['watch', slowId, '--json'])).code).toBe(3);
  });

  it('a download continues after interruptions, in one run and in several, without a lost or doubled line', async () => {
    const texts = Array.from({ length: 40 }, (_, index) => `line ${index} ${'é'.repeat(index * 7)}`);
    const id = await client.submitBatch('sandbox/echo', texts);
    await client.endedBatch(id);
    const whole = (await client.get(`/v1/batch/${id}/results`)).text;
    const proxy = await breakingProxy(gateway.url);
    try {
      proxy.breakAfter.push(10, 3_001, 7_777, 12_345);
      const once = await run(['results', id, '--output', 'once'], { GATEWAY_URL: proxy.url });
      expect(once).toMatchObject({ code: 0 });
      expect(readFileSync(join(folder, 'once'), 'utf8')).toBe(whole);
    } finally {
      proxy.server.close();
    }
    for (const bytes of [0, 1, 500, 5_000, Buffer.byteLength(whole) - 3, Buffer.byteLength(whole)]) {
      const name = `part-${bytes}`;
      truncateSync(join(folder, file(`${name}.part`, whole)), bytes);
      expect(await run(['results', id, '--output', name])).toMatchObject({ code: 0 });
      expect(readFileSync(join(folder, name), 'utf8')).toBe(whole);
      expect(readdirSync(folder)).not.toContain(`${name}.part`);
    }
    expect(await run(['results', id, '--output', 'once'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('exists already') as string,
    });
    const other = await client.submitBatch('sandbox/echo', ['another job']);
    await client.endedBatch(other);
    file('foreign.part', whole);
    expect((await run(['results', other, '--output', 'foreign'])).stderr).toContain('results of another job');
    expect(readFileSync(join(folder, 'foreign.part'), 'utf8')).toBe(whole);
  });

  it('says what is wrong, and how to fix it', async () => {
    const good = file('good.jsonl', chatLine('x'));
    const broken = file('broken.jsonl', `${chatLine('x')}\n\n{"prompt": \n`);
    const refused = file('refused.jsonl', `\n${chatLine('x')}\n{"body":{"model":"sandbox/echo","messages":7}}\n`);
    const keyFile = file('key', `${client.key}\n`);
    expect((await run(['submit', good, '--key-file', keyFile, '--json'], { GATEWAY_API_KEY: '' })).code).toBe(0);
    const cases: readonly (readonly [
      words: readonly string[],
      env: Readonly<Record<string, string>>,
      code: number,
      text: string,
    ])[] = [
      [['submit'], {}, 2, 'Which file?'],
      [['submit', 'absent.jsonl'], {}, 2, 'absent.jsonl cannot be read (ENOENT)'],
      [['submit', broken], {}, 2, 'broken.jsonl:3 is not JSON'],
      [['submit', refused], {}, 1, 'refused.jsonl:3'],
      [['submit', file('empty.jsonl', '\n\n')], {}, 2, 'empty.jsonl has no tasks'],
      [['submit', file('plain.jsonl', '"x"\n')], {}, 2, '--model'],
      [['submit', good, '--rpm', 'many'], {}, 2, '--rpm must be a number'],
      [['submit', good, '--window', 'at night'], {}, 1, 'windows'],
      [['submit', good, '--not-before', 'soon'], {}, 2, '--not-before must be a time'],
      [['watch', 'batch_000000000000000000000000'], {}, 1, 'There is no batch'],
      [['watch'], {}, 2, 'Which job?'],
      [['watch', '../x'], {}, 2, 'is no id'],
      [['list'], { GATEWAY_API_KEY: 'wrong' }, 1, 'Incorrect API key'],
      [['list'], { GATEWAY_API_KEY: '' }, 2, 'Set GATEWAY_API_KEY'],
      [['list', '--url', 'nowhere'], {}, 2, '--url must be an address'],
      [['list', '--key-file', 'absent'], {}, 2, 'The key file absent cannot be read'],
      [['cancle'], {}, 2, 'batch cancel'],
    ];
    const done = await Promise.all(cases.map(async ([words, env]) => run(words, env)));
    expect(done.map(({ code, stderr }, index) => [code, stderr.includes(cases[index]?.[3] ?? '') || stderr])).toEqual(
      cases.map(([, , code]) => [code, true]),
    );
  });
});
