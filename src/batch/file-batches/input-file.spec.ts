import { gzipSync } from 'node:zlib';
import { GatewayError, invalidRequest, notFound } from '../../errors/gateway-error.js';
import type { JsonEndpoint } from '../../model-endpoint/json-endpoint.js';
import { readInputFile, type InputRules, type InputTask, type LineFault } from './input-file.js';

const ENDPOINT = {
  path: '/v1/chat/completions',
  operation: 'chat',
  dialect: null,
  task: { defaults: {} },
  parse: (body: unknown): unknown => {
    const { messages } = body as { messages?: unknown };
    if (!Array.isArray(messages)) throw invalidRequest("'messages' must be an array.", 'messages', 'invalid_type');
    return body;
  },
} as unknown as JsonEndpoint;

function lineOf(fields: object = {}, body: object = {}): string {
  const whole = { model: 'm', messages: [], ...body };
  return JSON.stringify({ custom_id: 'a', method: 'POST', url: ENDPOINT.path, body: whole, ...fields });
}

const RULES: InputRules = {
  endpoint: ENDPOINT,
  maxLines: 10,
  assertModel: (model) => {
    if (model === 'none') throw notFound('There is no model none.', 'model_not_found');
  },
  take: () => undefined,
  onYield: () => undefined,
};

interface Read {
  readonly faults: readonly LineFault[];
  readonly tasks: readonly InputTask[];
}

async function read(text: string | Buffer, maxLines = 10): Promise<Read> {
  async function* content(): AsyncGenerator<Buffer> {
    await Promise.resolve();
    yield Buffer.from(text as string);
  }
  const tasks: InputTask[] = [];
  const faults = await readInputFile(content(), { ...RULES, maxLines, take: (task) => void tasks.push(task) });
  return { faults, tasks };
}

describe('an input file', () => {
  it('has its tasks, with the model of the first', async () => {
    const file = await read(`\ufeff${lineOf({}, { model: 'first' })}\r\n\r\n${lineOf({ custom_id: 'b' })}`);
    expect(file.faults).toEqual([]);
    expect(file.tasks).toMatchObject([
      { customId: 'a', model: 'first', operation: 'chat', dialect: null },
      { customId: 'b', model: 'm' },
    ]);
  });

  it.each<[what: string, line: string, code: string, param: string | null]>([
    ['is no JSON', '{"custom_id":', 'invalid_json_line', null],
    ['is no object', '[]', 'invalid_type', null],
    ['has no custom_id', lineOf({ custom_id: undefined }), 'missing_required_parameter', 'custom_id'],
    ['has a custom_id that is no text', lineOf({ custom_id: 7 }), 'invalid_type', 'custom_id'],
    ['has no method', lineOf({ method: undefined }), 'missing_required_parameter', 'method'],
    ['has another method', lineOf({ method: 'GET' }), 'invalid_value', 'method'],
    ['is of another endpoint', lineOf({ url: '/v1/embeddings' }), 'unsupported_endpoint', 'url'],
    ['has no body', lineOf({ body: undefined }), 'missing_required_parameter', 'body'],
    ['has a body that is no object', lineOf({ body: 'x' }), 'invalid_type', 'body'],
    ['has a body at fault', lineOf({}, { messages: 'x' }), 'invalid_type', 'body.messages'],
    ['is streamed', lineOf({}, { stream: true }), 'invalid_value', 'body.stream'],
    ['has no model', lineOf({}, { model: undefined }), 'missing_required_parameter', 'body.model'],
    ['has a model that there is not', lineOf({}, { model: 'none' }), 'model_not_found', 'body.model'],
    ['has the custom_id of another', lineOf({ custom_id: 'first' }), 'duplicate_custom_id', 'custom_id'],
  ])('of which a line %s says which and why', async (_what, line, code, param) => {
    const { faults } = await read(`${lineOf({ custom_id: 'first' })}\n\n${line}\n${lineOf({ custom_id: 'last' })}\n`);
    expect(faults).toEqual([{ code, line: 3, param, message: expect.any(String) as string }]);
    expect(faults[0]?.message).not.toContain('line.');
  });

  it('without requests, and with too many, is refused as a whole', async () => {
    expect((await read('\n')).faults).toMatchObject([{ code: 'empty_file', line: null }]);
    const many = Array.from({ length: 3 }, (_, index) => lineOf({ custom_id: `${index}` })).join('\n');
    expect((await read(many, 3)).faults).toEqual([]);
    expect((await read(many, 2)).faults).toMatchObject([{ code: 'too_many_tasks', line: null }]);
  });

  it('that is broken gzip is refused as a whole', async () => {
    const whole = gzipSync(`${lineOf()}\n`);
    expect((await read(whole)).tasks).toHaveLength(1);
    for (const bytes of [whole.subarray(0, 30), Buffer.concat([whole.subarray(0, 12), Buffer.from('broken')])]) {
      expect((await read(bytes)).faults).toMatchObject([{ code: 'invalid_gzip', line: null }]);
    }
  });

  it('reports a bounded number of faults', async () => {
    expect((await read('x\n'.repeat(500), 1_000)).faults).toHaveLength(100);
  });

  it('passes on what is no fault of the file', async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      await Promise.resolve();
      yield Buffer.from('x');
      throw new GatewayError({ status: 503, type: 'server_error', code: 'storage_unavailable', message: 'gone' });
    }
    await expect(readInputFile(broken(), RULES)).rejects.toMatchObject({ status: 503 });
  });
});
