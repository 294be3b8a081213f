import fc from 'fast-check';
import { GatewayError } from '../../errors/gateway-error.js';
import { DONE_FRAME, encodeChunk, encodeError, PING_COMMENT } from './sse-encoder.js';
import { SseEvent, SseParser } from './sse-parser.js';

const CAP = 32 * 1024 * 1024;

function parse(chunks: Iterable<Uint8Array>, cap = CAP): SseEvent[] {
  const events: SseEvent[] = [];
  const parser = new SseParser((event) => events.push(event), cap);
  for (const chunk of chunks) parser.push(chunk);
  parser.end();
  return events;
}

function parseText(text: string): SseEvent[] {
  return parse([Buffer.from(text)]);
}

function* singleBytes(bytes: Buffer): Generator<Buffer> {
  for (let index = 0; index < bytes.length; index += 1) yield bytes.subarray(index, index + 1);
}

const lineEnd = fc.constantFrom('\n', '\r', '\r\n');
const text = fc
  .string({ unit: 'binary', maxLength: 20 })
  .map((value) => Buffer.from(value.replace(/[\r\n]/g, '')).toString());
/** An event as lines, with noise between them, and what a parser must make of it. */
const eventLines = fc
  .record({
    data: fc.array(text, { minLength: 1, maxLength: 4 }),
    name: fc.option(fc.constantFrom('error', 'delta', 'ä')),
  })
  .chain(({ data, name }) =>
    fc
      .array(
        fc.oneof(
          text.map((value) => `:${value}`),
          text.map((value) => `id: ${value}`),
          fc.constantFrom('retry: 10', 'unknown: field', 'datax: no', 'dat: no', 'no colon'),
        ),
        { maxLength: 3 },
      )
      .map((noise) => ({
        lines: [
          ...noise,
          ...(name === null ? [] : [`event: ${name}`]),
          ...data.map((line) => `data: ${line}`),
          ...noise,
        ],
        event: { event: name ?? '', data: data.join('\n') },
      })),
  );
const stream = fc
  .record({
    events: fc.array(eventLines, { maxLength: 5 }),
    ends: fc.array(lineEnd, { minLength: 1, maxLength: 7 }),
    bom: fc.boolean(),
  })
  .map(({ events, ends, bom }) => {
    let body = bom ? '\ufeff' : '';
    let count = 0;
    for (const { lines } of events) {
      let end = '';
      for (const line of lines) body += line + (end = ends[count++ % ends.length]!);
      // After CR, a blank line that ends in LF would be no line at all.
      body += end === '\r' ? '\r' : ends[count++ % ends.length]!;
      if (body.endsWith('\r')) body += ':\n';
    }
    return { bytes: Buffer.from(body), expected: events.map(({ event }) => event) };
  });

describe('SseParser', () => {
  it('gives the same events at every split, with any line ends, comments and names', () => {
    fc.assert(
      fc.property(stream, ({ bytes, expected }) => {
        expect(parse([bytes])).toEqual(expected);
        expect(parse(singleBytes(bytes))).toEqual(expected);
        // Compared as text, since a matcher a split makes this the slowest test of all.
        const wanted = JSON.stringify(expected);
        for (let at = 1; at < bytes.length; at += 1) {
          const split = JSON.stringify(parse([bytes.subarray(0, at), bytes.subarray(at)]));
          if (split !== wanted) throw new Error(`split at byte ${at} gives ${split}`);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('is the inverse of the encoder', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.nat(), (values, seed) => {
        const frames = values.map(
          (value, index) => `${(index + seed) % 3 === 0 ? PING_COMMENT : ''}${encodeChunk({ value })}`,
        );
        const bytes = Buffer.from(frames.join('') + DONE_FRAME);
        const expected = [...values.map((value) => JSON.stringify({ value })), '[DONE]'];
        expect(parse(singleBytes(bytes)).map(({ data }) => data)).toEqual(expected);
      }),
    );
  });

  it('reads a plain Uint8Array', () => {
    expect(parse([new TextEncoder().encode('data: ä\n\n')])).toEqual([{ event: '', data: 'ä' }]);
  });

  it('removes one space after the colon, and no more', () => {
    expect(parseText('data:a\n\ndata:  b \n\n')).toEqual([
      { event: '', data: 'a' },
      { event: '', data: ' b ' },
    ]);
  });

  it('joins lines, takes a bare field for an empty one, and drops an event without data', () => {
    expect(parseText('data\ndata: x\ndata:\n\nevent: error\n\ndata: y\n\n')).toEqual([
      { event: '', data: '\nx\n' },
      { event: '', data: 'y' },
    ]);
  });

  it('delivers a last event that lacks its blank line or its line end', () => {
    expect(parseText('data: a\n\ndata: [DONE]\n').at(-1)?.data).toBe('[DONE]');
    expect(parseText('data: a\n\ndata: [DONE]').at(-1)?.data).toBe('[DONE]');
  });

  it('takes a byte order mark for content anywhere but at the start', () => {
    expect(parseText('\ufeffdata: a\n\ndata: \ufeffb\n\n').map(({ data }) => data)).toEqual(['a', '\ufeffb']);
  });

  it('caps one event, whether one long line, a line without end, or many lines', () => {
    const caught = (chunks: Iterable<Uint8Array>): unknown => {
      try {
        return parse(chunks, 1000);
      } catch (error) {
        return error;
      }
    };
    expect(caught([Buffer.from(`data: ${'x'.repeat(2000)}\n\n`)])).toMatchObject({
      code: 'upstream_error',
      status: 502,
    });
    expect(caught(singleBytes(Buffer.from(`data: ${'x'.repeat(2000)}`)))).toBeInstanceOf(GatewayError);
    expect(caught([Buffer.from('data: x\n'.repeat(200))])).toBeInstanceOf(GatewayError);
    expect(caught([Buffer.from(`data: ${'x'.repeat(900)}\n\n`.repeat(10))])).toHaveLength(10);
  });

  it('takes linear time for an event of 1 MB that comes byte by byte', () => {
    const time = (size: number): number => {
      const bytes = Buffer.from(`data: ${'x'.repeat(size)}\n\n`);
      const started = performance.now();
      expect(parse(singleBytes(bytes))[0]?.data).toHaveLength(size);
      return performance.now() - started;
    };
    time(50_000);
    expect(time(1_000_000)).toBeLessThan(3000);
  });
});

describe('encoder', () => {
  it('writes data lines alone', () => {
    expect(encodeChunk({ a: 'b\nc' })).toBe('data: {"a":"b\\nc"}\n\n');
    expect(encodeChunk('{"a":1}')).toBe('data: {"a":1}\n\n');
    expect(encodeChunk('{\n"a":1\r\n}')).toBe('data: {\ndata: "a":1\ndata: }\n\n');
  });

  it('writes the whole error body', () => {
    const error = new GatewayError({ status: 502, type: 'server_error', code: 'upstream_error', message: 'broken' });
    expect(encodeError(error)).toBe(
      'data: {"error":{"message":"broken","type":"server_error","param":null,"code":"upstream_error"}}\n\n',
    );
  });
});
