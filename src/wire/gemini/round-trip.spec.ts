import fc from 'fast-check';
import type { CanonicalRequest, CanonicalTool } from '../../operations/chat/canonical/canonical-request.js';
import type { CanonicalResult } from '../../operations/chat/canonical/canonical-result.js';
import { parseExact, printExact } from '../../runtime/exact-integers.js';
import { isObject } from '../../runtime/json-value.js';
import {
  argumentTexts,
  canonicalRequests,
  canonicalResults,
  PLAIN_SHAPE,
  type Shape,
} from '../../../test/fixtures/canonical-arbitraries.js';
import { chunksOf, collect } from '../../../test/fixtures/canonical-streams.js';
import type { ReadContext, WriteContext } from '../wire-format.js';
import { GEMINI } from './gemini-wire.js';

const MODEL = 'gemini-3-flash-preview';
const SHAPE: Shape = {
  ...PLAIN_SHAPE,
  wire: 'gemini',
  assistantBlocks: ['text', 'thinking'],
  userBlocks: ['text', 'image', 'file', 'audio'],
  resultBlocks: ['text'],
  errorResults: true,
  signsAll: true,
  sources: ['base64'],
  fields: {
    maxOutputTokens: fc.integer({ min: 1, max: 100_000 }),
    temperature: fc.constantFrom(0, 0.5, 1, 2),
    topP: fc.constantFrom(0.1, 1),
    topK: fc.integer({ min: 1, max: 100 }),
    stop: fc.array(fc.constantFrom('END', '\n\n', '客'), { minLength: 1, maxLength: 5 }),
    seed: fc.nat(2 ** 31 - 1),
    presencePenalty: fc.constantFrom(0.5, -1),
    reasoning: fc.constantFrom({ effort: 'low', isShown: true }, { effort: 'high', isShown: false }),
    responseFormat: fc.constantFrom(
      { type: 'json_object' as const },
      { type: 'json_schema' as const, schema: { type: 'object', properties: { a: { type: 'string' } } } },
    ),
  },
};
const target = { upstreamModel: MODEL, client: 'gemini' as const, traits: {} };
const reading: ReadContext = { upstreamModel: MODEL, redact: (text) => text, now: 0 };

function writing(request: Partial<CanonicalRequest> = {}): WriteContext {
  return {
    model: MODEL,
    requestId: 'req_1',
    now: 0,
    request: { model: MODEL, messages: [], reasoning: { isShown: true }, ...request },
    includesUsage: true,
    estimatedInputTokens: 0,
  };
}

/** As bytes make it: integers that a double cannot hold go through text. */
const overTheWire = <Body>(body: Body): Record<string, unknown> =>
  parseExact(printExact(body)) as Record<string, unknown>;

describe('the law of round trips, for Gemini', () => {
  it('a request that is written and read again is the same', () => {
    fc.assert(
      fc.property(canonicalRequests(SHAPE), (request) => {
        const { body, dropped } = GEMINI.writeRequest(request, target);
        expect(dropped).toEqual([]);
        const read = GEMINI.readRequest({ ...overTheWire(body), model: request.model });
        expect(withoutLostSignatures(read)).toEqual(normal(request));
      }),
      { numRuns: 200 },
    );
  });

  it('a result that is written and read again is the same', () => {
    fc.assert(
      fc.property(results(), (result) => {
        const body = GEMINI.writeResponse(result, writing());
        expect(GEMINI.readResponse(overTheWire(body), reading)).toEqual(result);
      }),
      { numRuns: 200 },
    );
  });

  it('a stream that is written and read again gives the same response', () => {
    fc.assert(
      fc.property(
        results().chain((result) => fc.tuple(fc.constant(result), chunksOf(result), fc.integer({ min: 1, max: 5 }))),
        ([result, chunks, size]) => {
          const writer = GEMINI.writeStream(writing());
          let text = '';
          for (let at = 0; at < chunks.length; at += size)
            text += writer.write(chunks.slice(at, at + size)) + writer.ping();
          text += writer.end();
          const reader = GEMINI.readStream(reading);
          const out: Parameters<typeof reader.read>[1] = [];
          for (const line of text.split('\n').filter((each) => each !== '')) {
            expect(line.startsWith('data: ')).toBe(true);
            reader.read({ event: '', data: line.slice('data: '.length) }, out);
          }
          reader.end(out);
          expect(joined(collect(out))).toEqual(joined(result));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('arguments keep integers that a double cannot hold', () => {
    fc.assert(
      fc.property(argumentTexts, (input) => {
        const block = { type: 'tool_call', id: 'c1', name: 'f', kind: 'function', input } as const;
        const body = GEMINI.writeResponse({ choices: [{ blocks: [block], finish: 'tool_calls' }] }, writing());
        const [choice] = GEMINI.readResponse(overTheWire(body), reading).choices;
        expect(choice?.blocks[0]).toEqual(block);
      }),
    );
  });
});

function results(): fc.Arbitrary<CanonicalResult> {
  return canonicalResults({
    shape: SHAPE,
    finishes: ['stop', 'length', 'content_filter'],
    choices: 2,
    usage: fc
      .tuple(fc.nat(10_000), fc.integer({ min: 1, max: 10_000 }), fc.nat(10_000), fc.integer({ min: 1, max: 10_000 }))
      .map(([fresh, cachedTokens, visible, reasoningTokens]) => ({
        inputTokens: fresh + cachedTokens,
        cachedTokens,
        outputTokens: visible + reasoningTokens,
        reasoningTokens,
      })),
  });
}

/** Several texts of one result are one, files have no name, system texts no signature, and a schema without properties is left out. */
function normal(request: CanonicalRequest): CanonicalRequest {
  const tools = request.tools?.map((tool): CanonicalTool => {
    const properties = tool.type === 'function' ? tool.parameters?.['properties'] : undefined;
    return isObject(properties) && Object.keys(properties).length === 0 ? withoutParameters(tool) : tool;
  });
  return {
    ...request,
    ...(tools !== undefined && { tools }),
    messages: request.messages.map((message) => ({
      ...message,
      blocks: message.blocks.map((block) => {
        if (message.role === 'system' && block.type === 'text') return { type: block.type, text: block.text };
        if (block.type === 'file') return { type: block.type, source: block.source };
        if (block.type !== 'tool_result') return block;
        const text = block.content.map((each) => (each.type === 'text' ? each.text : '')).join('\n');
        return { ...block, content: [{ type: 'text' as const, text }] };
      }),
    })),
  };
}

function withoutParameters(tool: CanonicalTool): CanonicalTool {
  return Object.fromEntries(Object.entries(tool).filter(([name]) => name !== 'parameters')) as unknown as CanonicalTool;
}

/** A call that came without a signature has the one that stands for it, if it is the first of its turn. */
function withoutLostSignatures(request: CanonicalRequest): CanonicalRequest {
  return {
    ...request,
    messages: request.messages.map((message) => ({
      ...message,
      blocks: message.blocks.map((block) => {
        if (block.type !== 'tool_call' || block.signature?.value !== 'skip_thought_signature_validator') return block;
        const { signature: _, ...unsigned } = block;
        return unsigned;
      }),
    })),
  };
}

/** Neighbouring texts are one where the first is not signed. */
function joined(result: CanonicalResult): unknown {
  return JSON.parse(
    JSON.stringify(result, (key, value: unknown) =>
      key === 'model' || (isObject(value) && value['type'] === 'end') ? undefined : value,
    ),
  );
}
