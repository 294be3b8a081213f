import type { JsonObject } from '../../runtime/json-value.js';
import { definitionNamed } from '../definitions/registry.js';
import type { JsonCall } from '../transport/json-call.js';
import type { LostPart, NewPart, PartResult } from './batch-api.js';
import type { BatchClient } from './batch-client.js';
import { ContentBatches } from './content-batches.js';

const CALL = { requestId: 'req_1', signal: new AbortController().signal };
const BASE = 'https://generativelanguage.googleapis.com/v1beta';
const LINE = Buffer.from('{"key":"a","request":{}}');
const PART: NewPart = {
  id: 'part_1',
  endpoint: ':generateContent',
  upstreamModel: 'gemini-2.5-flash',
  headers: {},
  creation: { begin: () => Promise.resolve(), check: () => undefined },
  lines: {
    contentType: 'application/jsonl',
    length: LINE.length,
    open: async function* () {
      yield await Promise.resolve(LINE);
    },
  },
};

/** Batches of a client that responds by path and keeps what it was sent. */
function batchesOf(
  responses: (path: string) => JsonObject,
  { baseUrl = BASE, lines = [] as readonly string[] } = {},
): { api: ContentBatches; sent: JsonCall[] } {
  const sent: JsonCall[] = [];
  const json = (call: JsonCall): Promise<JsonObject> => {
    sent.push(call);
    return Promise.resolve(responses(call.path));
  };
  const client = {
    json,
    upload: json,
    lines: async function* (path: string) {
      sent.push({ path });
      for (const line of lines) yield await Promise.resolve(line);
    },
  };
  const format = definitionNamed('gemini')?.batches;
  if (format === undefined) throw new Error('it has no batches');
  return { api: new ContentBatches(format, client as unknown as BatchClient, baseUrl), sent };
}

/** The text of a body, which is as long as it says. */
async function textOf(call: JsonCall | undefined): Promise<string> {
  const body = call?.body as NewPart['lines'];
  const chunks: Buffer[] = [];
  for await (const chunk of body.open()) chunks.push(chunk);
  expect(Buffer.concat(chunks)).toHaveLength(body.length);
  return Buffer.concat(chunks).toString();
}

async function allOf(results: AsyncIterable<PartResult | undefined>): Promise<(PartResult | undefined)[]> {
  const all: (PartResult | undefined)[] = [];
  for await (const each of results) all.push(each);
  return all;
}

const lost: LostPart = { id: 'part_1', since: Date.now(), lineCount: 1, known: new Set<string>() };
const batch = (state: string, more: JsonObject = {}, facts: JsonObject = {}): JsonObject => ({
  name: 'batches/b1',
  metadata: { state, displayName: 'part_1', inputConfig: { fileName: 'files/in' }, ...facts },
  ...more,
});

describe('batches of content', () => {
  it.each([
    [BASE, 'https://generativelanguage.googleapis.com/upload/v1beta/files'],
    ['http://127.0.0.1:8080/proxy/v1beta', 'http://127.0.0.1:8080/proxy/upload/v1beta/files'],
  ])('at %s upload a file of their requests, and have the id of the part as their name', async (baseUrl, upload) => {
    const { api, sent } = batchesOf(
      (path): JsonObject => (path.includes('upload') ? { file: { name: 'files/in' } } : { name: 'batches/b1' }),
      { baseUrl },
    );
    expect(await api.create(PART, CALL)).toEqual({ id: 'batches/b1' });
    const [file, create] = sent;
    expect([file?.path, file?.headers]).toEqual([upload, { 'x-goog-upload-protocol': 'multipart' }]);
    expect(await textOf(file)).toContain(`application/jsonl\r\n\r\n${LINE.toString()}\r\n--`);
    expect(create?.path).toBe('/models/gemini-2.5-flash:batchGenerateContent');
    expect(JSON.parse(await textOf(create))).toEqual({
      batch: { displayName: 'part_1', inputConfig: { fileName: 'files/in' } },
    });
    const tuned = { ...PART, upstreamModel: 'tunedModels/mine' };
    await api.create(tuned, CALL);
    expect(sent.at(-1)?.path).toBe('/tunedModels/mine:batchGenerateContent');
  });

  it('are for calls of content alone, one a line', () => {
    const { api } = batchesOf(() => ({}));
    expect(api.endpointOf('/v1beta/models/gemini-2.5-flash:generateContent')).toBe(':generateContent');
    for (const path of [':embedContent', ':streamGenerateContent?alt=sse', ':countTokens', ':batchGenerateContent']) {
      expect(api.endpointOf(`/v1beta/models/m${path}`)).toBeUndefined();
    }
    const line = api.line({ customId: 'part_1-7', endpoint: ':generateContent', body: '{"contents":[]}' });
    expect(JSON.parse(line)).toEqual({ key: 'part_1-7', request: { contents: [] } });
  });

  it('are found by their name on any page, and nowhere else', async () => {
    const other = { ...batch('BATCH_STATE_RUNNING', {}, { displayName: 'part_12' }), name: 'batches/b2' };
    const pages = (path: string): JsonObject =>
      path.includes('pageToken=t%2F2')
        ? { operations: [other, batch('BATCH_STATE_PENDING')] }
        : { operations: [other], nextPageToken: 't/2' };
    expect(await batchesOf(pages).api.find(lost, CALL)).toBe('batches/b1');
    expect(await batchesOf(pages).api.find({ ...lost, id: 'part_3' }, CALL)).toBeUndefined();
    expect(await batchesOf(() => ({})).api.find(lost, CALL)).toBeUndefined();
  });

  const output = { responsesFile: 'files/out' };
  it.each([
    ['pending', batch('BATCH_STATE_PENDING'), false, []],
    ['running, by the names of its clients', batch('JOB_STATE_RUNNING'), false, []],
    ['of a state that is new', batch('BATCH_STATE_PAUSED'), false, []],
    ['succeeded', batch('BATCH_STATE_SUCCEEDED', { done: true, response: output }), true, ['files/out']],
    ['succeeded, with its output in the batch', batch('JOB_STATE_SUCCEEDED', {}, { output }), true, ['files/out']],
    ['succeeded, without a state', { name: 'batches/b1', done: true, response: output }, true, ['files/out']],
    ['succeeded in part', batch('BATCH_STATE_PARTIALLY_SUCCEEDED', {}, { output }), true, ['files/out']],
    ['cancelled, with what it had', batch('BATCH_STATE_CANCELLED', { done: true }, { output }), true, ['files/out']],
    ['expired', batch('BATCH_STATE_EXPIRED'), true, []],
    ['failed', batch('BATCH_STATE_FAILED', { done: true, error: { code: 3, message: 'Bad file' } }), true, []],
    [
      'with responses inside',
      batch('BATCH_STATE_SUCCEEDED', { response: { inlinedResponses: { inlinedResponses: [] } } }),
      true,
      ['batches/b1'],
    ],
  ])('that are %s', async (_case, found, isEnded, outputs) => {
    const state = await batchesOf(() => found).api.state('batches/b1', CALL);
    expect(state).toMatchObject({ isEnded, outputs });
    expect(state.files).toContain('batches/b1');
    if (JSON.stringify(found).includes('Bad file')) expect(state.error).toBe('Bad file');
  });

  it('have responses in a file, or inside; one that cannot be read is left out', async () => {
    const lines = ['{"key":"a","response":{"candidates":[]}}', '{"key":"b","resp', '{"key":"c","error":{"code":8}}'];
    const { api, sent } = batchesOf(() => ({}), { lines });
    const results = await allOf(api.results('files/out', CALL));
    expect(sent[0]?.path).toBe('/files/out:download?alt=media');
    expect(results.map((each) => [each?.customId, each?.response?.status])).toEqual([
      ['a', 200],
      [undefined, undefined],
      ['c', 429],
    ]);
    const inside = [{ metadata: { key: 'a' }, response: { candidates: [] } }, null];
    const within = batchesOf(() => ({ response: { inlinedResponses: { inlinedResponses: inside } } })).api;
    const found = await allOf(within.results('batches/b1', CALL));
    expect(found.map((each) => each?.customId)).toEqual(['a', undefined]);
  });

  it('take no names from a response that could lead to another path', async () => {
    const { api, sent } = batchesOf(() => ({}));
    for (const name of ['files/../models', 'models/m', 'batches/a/b', '', '/batches/a']) {
      await expect(api.deleteFile(name, CALL)).rejects.toMatchObject({ status: 502 });
    }
    await api.cancel('batches/a?b', CALL);
    expect(sent.map(({ path }) => path)).toEqual(['/batches/a%3Fb:cancel']);
  });
});
