import { gzipSync } from 'node:zlib';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { HealthWatch } from '../clients/health-watch.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';

/** Longest CPU time that the gateway may spend while /health/live waits and a hostile request is served, in milliseconds. */
const MAX_FREEZE_MS = 250;
/** A stall that the gateway causes comes each time. On a busy machine the response may also be read late. */
const TRIES = 6;

const members = (count: number): string =>
  `{${Array.from({ length: count }, (_, index) => `"k${index}":1`).join(',')}}`;
const nested = (depth: number): string => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);
const list = (count: number, item: string): string => `[${`${item},`.repeat(count)}${item}]`;
const chat = (fields: string, model = 'sandbox/echo'): string =>
  `{"model":"${model}","messages":[{"role":"user","content":"x"}],${fields}}`;
const tool = (parameters: object): string =>
  chat(`"tools":${JSON.stringify([{ type: 'function', function: { name: 'f', parameters } }])}`);
const schema = (value: object): string =>
  chat(`"response_format":${JSON.stringify({ type: 'json_schema', json_schema: { name: 'x', schema: value } })}`);

/** Values that are hostile wherever a client may put one. */
const VALUES: Readonly<Record<string, string>> = {
  '200,000 members': members(200_000),
  '90,000 members in objects of 9,000': list(9, members(9_000)),
  '60,000 levels': nested(60_000),
  '64 levels': nested(50),
  '400,000 empty arrays': list(400_000, '[]'),
  '2,000,000 numbers': list(2_000_000, '0'),
  'a number of a million digits': '9'.repeat(1_000_000),
  'names that objects inherit': `{"constructor":${members(9_000)},"__proto__":{"toString":1}}`,
  'a million quotes': JSON.stringify('"\\'.repeat(500_000)),
};
/** Where: the path, who may, and the body around the value. */
const PLACES: Readonly<Record<string, readonly [path: string, method: string, body: (value: string) => string]>> = {
  'an unknown field of a chat': ['/v1/chat/completions', 'POST', (value) => chat(`"x":${value}`)],
  'metadata of a chat': ['/v1/chat/completions', 'POST', (value) => chat(`"metadata":${value}`)],
  'the messages of a chat': ['/v1/chat/completions', 'POST', (value) => `{"model":"sandbox/echo","messages":${value}}`],
  batch_metadata: [
    '/v1/batch/generate',
    'POST',
    (value) => `{"model":"sandbox/echo","batch_metadata":${value},"tasks":["x"]}`,
  ],
  'an unknown field of a batch': [
    '/v1/batch/generate',
    'POST',
    (value) => `{"model":"m","zzz":${value},"tasks":["x"]}`,
  ],
  'a task of a batch': ['/v1/batch/generate', 'POST', (value) => `{"model":"sandbox/echo","tasks":["x",${value}]}`],
  'metadata of a key': ['/v1/admin/keys', 'POST', (value) => `{"name":"k","metadata":${value}}`],
  'an unknown field of a key': ['/v1/admin/keys', 'POST', (value) => `{"name":"k","zzz":${value}}`],
  'limits of a key': ['/v1/admin/keys', 'POST', (value) => `{"name":"k","limits":${value}}`],
  'scopes of a key': ['/v1/admin/keys', 'POST', (value) => `{"name":"k","scopes":${value}}`],
  'metadata of a group': ['/v1/admin/groups', 'POST', (value) => `{"name":"k","metadata":${value}}`],
  'a changed key': ['/v1/admin/keys/key_0123456789abcdef', 'PATCH', (value) => `{"allowed_models":${value}}`],
  'a rotation': ['/v1/admin/keys/key_0123456789abcdef/rotate', 'POST', (value) => `{"overlap_seconds":${value}}`],
  'a cancelled batch': ['/v1/batch/batch_0/cancel', 'POST', (value) => `{"x":${value}}`],
};

const deepArrays = Array.from({ length: 20 }).reduce<object>((items) => ({ type: 'array', minItems: 1_000, items }), {
  type: 'string',
});
/** What the sandbox is asked for. */
const SANDBOX: Readonly<Record<string, string>> = {
  minProperties: tool({ type: 'object', minProperties: 60_000 }),
  minLength: tool({ type: 'string', minLength: 400_000_000 }),
  'minLength in a schema': schema({ type: 'object', properties: { a: { type: 'string', minLength: 100_000_000 } } }),
  'arrays in arrays': tool(deepArrays),
  'a large tuple': tool({ type: 'array', prefixItems: Array.from({ length: 50_000 }, () => ({ type: 'null' })) }),
  'a schema that refers to itself': schema({
    type: 'object',
    properties: Object.fromEntries('abcdefghij'.split('').map((name) => [name, { $ref: '#' }])),
  }),
  'two of itself': schema({ allOf: [{ $ref: '#' }, { $ref: '#' }] }),
  'large enums': schema({
    allOf: [1, 2, 3].map(() => ({ enum: Array.from({ length: 40_000 }, (_, index) => index) })),
  }),
  'patterns that take exponential time': schema({
    type: 'object',
    properties: Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [
        `p${index}`,
        { type: 'string', minLength: 60, pattern: `^(a|a)*(a?){30}a{30}(a+)+b{${index}}$` },
      ]),
    ),
  }),
  'n of a long prompt': `{"model":"sandbox/echo","n":128,"messages":[{"role":"user","content":"${'x'.repeat(3_000_000)}"}]}`,
  'a prompt of many words': `{"model":"sandbox/echo","messages":[{"role":"user","content":"${'x '.repeat(1_900_000)}"}]}`,
  'a prompt of 20 MB': `{"model":"sandbox/echo","messages":[{"role":"user","content":"${'x '.repeat(10_000_000)}"}]}`,
  'n of a long answer': chat('"n":128,"max_tokens":100000', 'sandbox/lorem'),
  'a stream of n': chat('"n":128,"max_tokens":1900,"stream":true', 'sandbox/lorem'),
  'long stop sequences': chat(`"stop":${JSON.stringify(['a'.repeat(900), 'b'.repeat(900)])}`),
};

(isPostgresRun ? describe.skip : describe)('while a hostile request is served, /health/live answers', () => {
  let gateway: RunningGateway;
  let watch: HealthWatch;
  let key: string;

  beforeAll(async () => {
    gateway = await startGateway();
    key = await gateway.apiKey();
    watch = new HealthWatch(gateway);
    // The first answers make what is made once.
    for (let round = 0; round < 20; round += 1) await send('/v1/chat/completions', 'POST', chat('"n":1'));
  });
  afterAll(async () => {
    await watch.stop();
    await gateway.stop();
  });

  async function send(
    path: string,
    method: string,
    body?: string | Uint8Array,
    headers: Record<string, string> = {},
  ): Promise<number> {
    const credential = path.startsWith('/v1/admin') ? gateway.adminKey : key;
    const response = await fetch(`${gateway.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${credential}`, 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: body as string }),
    });
    await response.arrayBuffer();
    return response.status;
  }

  /** @returns what each request was answered, once */
  async function expectNoFreeze(requests: Readonly<Record<string, () => Promise<number>>>): Promise<number[]> {
    const statuses: number[] = [];
    for (const [name, request] of Object.entries(requests)) {
      let status = 0;
      let shortest = Infinity;
      for (let round = 0; round < TRIES && shortest > MAX_FREEZE_MS; round += 1)
        shortest = Math.min(shortest, await watch.during(async () => (status = await request())));
      expect({ name, status, isQuick: shortest <= MAX_FREEZE_MS }).toEqual({ name, status, isQuick: true });
      statuses.push(status);
    }
    return statuses;
  }

  it.each(Object.entries(PLACES))('in time: %s', async (_place, [path, method, body]) => {
    const statuses = await expectNoFreeze(
      Object.fromEntries(Object.entries(VALUES).map(([name, value]) => [name, () => send(path, method, body(value))])),
    );
    for (const status of statuses) expect([200, 201, 202, 400, 404, 413]).toContain(status);
    // 200,000 members are refused everywhere: by their number, or where 1 MB is the limit by their size.
    expect([400, 413]).toContain(statuses[0]);
  });

  it('in time: what the sandbox is asked for', async () => {
    const statuses = await expectNoFreeze(
      Object.fromEntries(
        Object.entries(SANDBOX).map(([name, body]) => [name, () => send('/v1/chat/completions', 'POST', body)]),
      ),
    );
    for (const status of statuses) expect([200, 400]).toContain(status);
  });

  it('in time: compressed bodies that are large, damaged or none', async () => {
    const bomb = gzipSync(Buffer.concat([Buffer.from('{"model":"'), Buffer.alloc(300_000_000, 97)]));
    const cut = gzipSync(chat(`"x":"${'x'.repeat(1_000_000)}"`)).subarray(0, -8);
    const paths = ['/v1/chat/completions', '/v1/batch/generate', '/v1/admin/keys'];
    for (const path of paths) {
      const statuses = await expectNoFreeze({
        bomb: () => send(path, 'POST', bomb, { 'content-encoding': 'gzip' }),
        cut: () => send(path, 'POST', cut, { 'content-encoding': 'gzip' }),
        none: () => send(path, 'POST', '{}', { 'content-encoding': 'gzip' }),
      });
      // A batch refuses a field that is too large before the body is.
      expect(statuses).toEqual([path.includes('batch') ? 400 : 413, 400, 400]);
    }
  });

  it('in time: a flood of the pages that need no key', async () => {
    for (const path of ['/docs-yaml', '/docs-json', '/docs', '/docs/swagger-ui-init.js']) {
      await send(path, 'GET');
      const [status] = await expectNoFreeze({
        [path]: async () => {
          const responses = await Promise.all(Array.from({ length: 60 }, () => send(path, 'GET')));
          return responses[0] ?? 0;
        },
      });
      expect(status).toBe(200);
    }
  });
});
