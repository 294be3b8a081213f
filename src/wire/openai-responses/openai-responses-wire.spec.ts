import fc from 'fast-check';
import {
  argumentTexts,
  canonicalRequests,
  canonicalResults,
  PLAIN_SHAPE,
  texts,
  type Shape,
} from '../../../test/fixtures/canonical-arbitraries.js';
import { chunksOf, collect } from '../../../test/fixtures/canonical-streams.js';
import type { CanonicalRequest } from '../../operations/chat/canonical/canonical-request.js';
import type { CanonicalChunk, CanonicalResult } from '../../operations/chat/canonical/canonical-result.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { SseParser } from '../sse/sse-parser.js';
import type { ReadContext, Target, WriteContext } from '../wire-format.js';
import { OPENAI_RESPONSES } from './openai-responses-wire.js';

const TARGET: Target = { upstreamModel: 'm', client: 'openai-responses', traits: {} };
const READ: ReadContext = { upstreamModel: 'm', redact: (text) => text, now: 0 };
const CONTEXT: WriteContext = {
  model: 'm',
  requestId: 'req_1',
  now: 0,
  request: { model: 'm', messages: [] },
  includesUsage: true,
  estimatedInputTokens: 0,
};
const SHAPE: Shape = {
  ...PLAIN_SHAPE,
  wire: 'openai-responses',
  userBlocks: ['text', 'image', 'file', 'audio'],
  assistantBlocks: ['text', 'refusal'],
  resultBlocks: ['text'],
  customTools: true,
  sources: ['base64', 'url', 'file'],
  fields: {
    stream: fc.boolean(),
    parallelToolCalls: fc.boolean(),
    maxOutputTokens: fc.integer({ min: 16, max: 100_000 }),
    temperature: fc.constantFrom(0, 0.5, 2),
    topP: fc.constantFrom(0, 0.1, 1),
    responseFormat: fc.constantFrom(
      { type: 'text' },
      { type: 'json_object' },
      { type: 'json_schema', name: 'a', schema: { type: 'object' }, strict: true },
    ),
    reasoning: fc.constantFrom({ effort: 'low' }, { effort: 'high', isShown: true }),
    verbosity: fc.constantFrom('low', 'high'),
    promptCacheKey: fc.constant('tenant-7'),
    endUser: fc.constant('user-42'),
    metadata: fc.constant({ ticket: 'T-1' }),
    serviceTier: fc.constant('flex'),
  },
};

/** Without what only this format has, and with what the format makes explicit. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  // A file without a name is sent with one, since OpenAI refuses it.
  const members = Object.entries(value).filter(
    ([name, each]) => name !== 'extras' && name !== 'detail' && !(name === 'name' && each === 'file'),
  );
  return Object.fromEntries(members.map(([name, each]) => [name, comparable(each)]));
}

function normal(request: CanonicalRequest): unknown {
  const tools = request.tools?.map((tool) => (tool.type === 'function' ? { strict: false, ...tool } : tool));
  return comparable({ store: false, ...request, ...(tools !== undefined && { tools }) });
}

function events(frames: string): JsonObject[] {
  return new SseParser()
    .push(Buffer.from(frames))
    .map(({ data, event }) => ({ ...(JSON.parse(data) as JsonObject), event }));
}

function readStream(frames: string): CanonicalResult {
  const reader = OPENAI_RESPONSES.readStream(READ);
  const out: CanonicalChunk[] = [];
  for (const event of new SseParser().push(Buffer.from(frames))) reader.read(event, out);
  reader.end(out);
  return collect(out);
}

describe('the law of the Responses format', () => {
  it('reads what it has written: requests', () => {
    fc.assert(
      fc.property(canonicalRequests(SHAPE), (request) => {
        const { body, dropped } = OPENAI_RESPONSES.writeRequest(request, { ...TARGET, upstreamModel: request.model });
        const read = OPENAI_RESPONSES.readRequest(JSON.parse(JSON.stringify(body)) as JsonObject);
        expect(normal(read)).toEqual(normal(request));
        expect(dropped).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  const results = canonicalResults({
    shape: { ...SHAPE, assistantBlocks: ['text', 'thinking'] },
    finishes: ['stop', 'length', 'content_filter'],
    choices: 1,
    usage: fc.constant({ inputTokens: 10, cachedTokens: 4, outputTokens: 7, reasoningTokens: 3 }),
  });
  const normalResult = ({ choices, usage }: CanonicalResult): unknown =>
    comparable({
      usage,
      // An incomplete response has no status for the calls in it.
      choices: choices.map(({ blocks, finish }) => ({ blocks, finish })),
    });

  it('reads what it has written: whole responses', () => {
    fc.assert(
      fc.property(results, (result) => {
        const written = OPENAI_RESPONSES.writeResponse(result, CONTEXT);
        expect(normalResult(OPENAI_RESPONSES.readResponse(written, READ))).toEqual(normalResult(result));
      }),
      { numRuns: 200 },
    );
  });

  it('reads what it has written: streams, whose last event is the whole response', () => {
    fc.assert(
      fc.property(
        results.chain((result) => fc.tuple(fc.constant(result), chunksOf(result))),
        ([result, chunks]) => {
          const writer = OPENAI_RESPONSES.writeStream(CONTEXT);
          const frames = chunks.map((chunk) => writer.write([chunk])).join('') + writer.end();
          expect(normalResult(readStream(frames))).toEqual(normalResult(result));
          const last = events(frames).at(-1)?.['response'];
          const plain = OPENAI_RESPONSES.writeResponse(result, CONTEXT);
          expect(last).toEqual(plain);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('keeps arguments and free text of tools byte for byte', () => {
    fc.assert(
      fc.property(argumentTexts, texts, (input, free) => {
        const messages = [
          { role: 'user', content: 'x' },
          { type: 'function_call', call_id: 'c1', name: 'f', arguments: input },
          { type: 'custom_tool_call', call_id: 'c2', name: 'g', input: free },
          { type: 'function_call_output', call_id: 'c1', output: free },
          { type: 'custom_tool_call_output', call_id: 'c2', output: free },
        ];
        const read = OPENAI_RESPONSES.readRequest({ model: 'm', input: messages });
        expect(read.messages[1]?.blocks).toMatchObject([{ input }, { input: free, kind: 'custom' }]);
        const { body } = OPENAI_RESPONSES.writeRequest(read, TARGET);
        expect((body['input'] as unknown[]).slice(1)).toMatchObject(messages.slice(1));
      }),
    );
  });
});
