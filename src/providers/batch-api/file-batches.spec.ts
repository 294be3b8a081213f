import type { JsonObject } from '../../runtime/json-value.js';
import { definitionNamed } from '../definitions/registry.js';
import type { JsonCall } from '../transport/json-call.js';
import type { RepeatableBody } from '../transport/upstream-request.js';
import type { NewPart } from './batch-api.js';
import type { BatchClient } from './batch-client.js';
import { FileBatches } from './file-batches.js';
import { AnthropicMessageBatches } from './message-batches.js';

const CALL = { requestId: 'req_1', signal: new AbortController().signal };
const CREATION = { begin: () => Promise.resolve(), check: () => undefined };
const LINE = Buffer.from('{"custom_id":"a"}');
const LINES = {
  contentType: 'application/jsonl',
  length: LINE.length,
  open: async function* () {
    yield await Promise.resolve(LINE);
  },
};

/** A client that responds by path and keeps what it was sent. */
function clientOf(responses: (path: string) => JsonObject): { client: BatchClient; sent: JsonCall[] } {
  const sent: JsonCall[] = [];
  const json = (call: JsonCall): Promise<JsonObject> => {
    sent.push(call);
    return Promise.resolve(responses(call.path));
  };
  return { client: { json, upload: json } as unknown as BatchClient, sent };
}

/** The text of a body, which is as long as it says. */
async function textOf(body: RepeatableBody): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body.open()) chunks.push(chunk);
  expect(Buffer.concat(chunks)).toHaveLength(body.length);
  return Buffer.concat(chunks).toString();
}

function formatNamed(name: string): ConstructorParameters<typeof FileBatches>[0] {
  const format = definitionNamed(name)?.batches;
  if (format === undefined) throw new Error(`${name} has no batches`);
  return format;
}

describe('batches of files', () => {
  it.each([
    ['openai', '/v1/chat/completions', '/batches'],
    ['groq', '/v1/chat/completions', '/batches'],
    ['azure', '/chat/completions', '/batches'],
    ['mistral', '/v1/chat/completions', '/batch/jobs'],
  ])('of %s are created with the id of the part in their metadata', async (name, endpoint, path) => {
    const { client, sent } = clientOf((at) => ({ id: at === '/files' ? 'file-1' : 'batch-1' }));
    const api = new FileBatches(formatNamed(name), client, (at) => at);
    expect(api.endpointOf('/some/base/v1/chat/completions?api-version=v1')).toBe(endpoint);
    const part: NewPart = { id: 'part_1', endpoint, upstreamModel: 'm', headers: {}, lines: LINES, creation: CREATION };
    expect(await api.create(part, CALL)).toEqual({ id: 'batch-1' });
    const [upload, create] = sent;
    expect(upload?.path).toBe('/files');
    const text = await textOf(upload?.body as RepeatableBody);
    expect(text).toContain('name="purpose"\r\n\r\nbatch\r\n');
    expect(text).toContain('{"custom_id":"a"}');
    expect(create?.path).toBe(path);
    const body = await textOf(create?.body as RepeatableBody);
    expect(JSON.parse(body)).toMatchObject({ endpoint, metadata: { gateway_part: 'part_1' } });
    expect(body).toContain('file-1');
  });

  it('are not created where they may not be any more, and their file is deleted', async () => {
    const { client, sent } = clientOf((at) => ({ id: at === '/files' ? 'file-1' : 'batch-1' }));
    const api = new FileBatches(formatNamed('openai'), client, (at) => at);
    const creation = { ...CREATION, begin: () => Promise.reject(new Error('paused')) };
    const part: NewPart = { id: 'part_1', endpoint: '/e', upstreamModel: 'm', headers: {}, lines: LINES, creation };
    await expect(api.create(part, CALL)).rejects.toThrow('paused');
    expect(sent.map(({ method = 'POST', path }) => `${method} ${path}`)).toEqual([
      'POST /files',
      'DELETE /files/file-1',
    ]);
  });

  it('have no endpoint for what the provider does not take', () => {
    const groq = new FileBatches(formatNamed('groq'), clientOf(() => ({})).client, (at) => at);
    expect(groq.endpointOf('/openai/v1/embeddings')).toBeUndefined();
    const openai = new FileBatches(formatNamed('openai'), clientOf(() => ({})).client, (at) => at);
    expect(openai.endpointOf('/v1/completions')).toBe('/v1/completions');
    expect(openai.endpointOf('/v1/images/generations')).toBeUndefined();
  });

  it('are found by that id alone, on any page', async () => {
    const now = Math.floor(Date.now() / 1_000);
    const full = Array.from({ length: 100 }, (_, index) => ({ id: `b${index}`, created_at: now, metadata: null }));
    const mine = { id: 'mine', created_at: now, metadata: { gateway_part: 'part_1' } };
    for (const name of ['openai', 'mistral']) {
      const { client } = clientOf((at) =>
        /after=b99|page=1&/.test(at) ? { data: [mine], has_more: false } : { data: full },
      );
      const api = new FileBatches(formatNamed(name), client, (at) => at);
      const part = { since: Date.now(), lineCount: 1, known: new Set<string>() };
      expect(await api.find({ ...part, id: 'part_1' }, CALL)).toBe('mine');
      expect(await api.find({ ...part, id: 'part_2' }, CALL)).toBeUndefined();
    }
  });

  it.each([
    ['openai', { status: 'expired', output_file_id: 'o', error_file_id: 'e', input_file_id: 'i' }, true, ['o', 'e']],
    ['openai', { status: 'cancelling', output_file_id: null }, false, []],
    ['openai', { status: 'failed', errors: { data: [{ message: 'Bad line' }] } }, true, []],
    ['mistral', { status: 'TIMEOUT_EXCEEDED', output_file: 'o', error_file: null, input_files: ['i'] }, true, ['o']],
    ['mistral', { status: 'RUNNING' }, false, []],
  ])('of %s as %j', async (name, batch, isEnded, outputs) => {
    const api = new FileBatches(formatNamed(name), clientOf(() => batch).client, (at) => at);
    expect(await api.state('b', CALL)).toMatchObject({ isEnded, outputs });
  });
});

describe('message batches', () => {
  const format = formatNamed('anthropic');

  it('are not sent to their end by a process that may have lost its part meanwhile', async () => {
    const { client, sent } = clientOf(() => ({ id: 'batch-1' }));
    let checks = 0;
    const creation = {
      ...CREATION,
      check: () => {
        if ((checks += 1) > 2) throw new Error('the lease has ended');
      },
    };
    const part: NewPart = { id: 'part_1', endpoint: '', upstreamModel: 'm', headers: {}, lines: LINES, creation };
    await new AnthropicMessageBatches(format, client).create(part, CALL);
    const pieces: string[] = [];
    const read = async (): Promise<void> => {
      for await (const piece of (sent[0]?.body as RepeatableBody).open()) pieces.push(piece.toString());
    };
    await expect(read()).rejects.toThrow('the lease has ended');
    expect(pieces).toEqual(['{"requests":[', '{"custom_id":"a"}']);
  });

  it('are found by their size and time, where no other part has them', async () => {
    const counts = { processing: 2, succeeded: 1, errored: 0, canceled: 0, expired: 0 };
    const at = (ms: number): string => new Date(Date.now() - ms).toISOString();
    const data = [
      { id: 'larger', created_at: at(0), request_counts: { ...counts, processing: 9 } },
      { id: 'known', created_at: at(0), request_counts: counts },
      { id: 'mine', created_at: at(1_000), request_counts: counts },
      { id: 'old', created_at: at(3_600_000), request_counts: counts },
    ];
    const api = new AnthropicMessageBatches(format, clientOf(() => ({ data, has_more: false })).client);
    const part = { id: 'part_1', since: Date.now() - 2_000, lineCount: 3, known: new Set(['known']) };
    expect(await api.find(part, CALL)).toBe('mine');
    expect(await api.find({ ...part, lineCount: 4 }, CALL)).toBeUndefined();
  });

  it('that were cancelled are ended when they say so', async () => {
    for (const [status, isEnded] of [
      ['canceling', false],
      ['ended', true],
    ] as const) {
      const batch = { processing_status: status, results_url: isEnded ? 'https://x/results' : null };
      const api = new AnthropicMessageBatches(format, clientOf(() => batch).client);
      const state = await api.state('b', CALL);
      expect(state.isEnded).toBe(isEnded);
      expect(state.outputs).toHaveLength(isEnded ? 1 : 0);
    }
  });
});
