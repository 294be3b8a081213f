import fc from 'fast-check';
import { cpuTimeRatio } from '../../../test/fixtures/cpu-time.js';
import { GatewayError } from '../../errors/gateway-error.js';
import { DONE_FRAME, encodeChunk, encodeError, PING_COMMENT } from './sse-encoder.js';
import { SseEventTooLargeError, SseParser, type SseEvent } from './sse-parser.js';

function parse(bytes: Uint8Array, cuts: readonly number[] = []): SseEvent[] {
  const parser = new SseParser();
  const events: SseEvent[] = [];
  let start = 0;
  for (const cut of [...cuts, bytes.length].sort((a, b) => a - b)) {
    if (cut > bytes.length) continue;
    events.push(...parser.push(bytes.subarray(start, cut)));
    start = cut;
  }
  return [...events, ...parser.end()];
}

function parseText(text: string): SseEvent[] {
  return parse(Buffer.from(text));
}

const line = fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replace(/[\r\n]/g, ''));
const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
const event = fc.record({
  event: fc.oneof(fc.constant(''), fc.constantFrom('error', 'ping')),
  lines: fc.array(line, { minLength: 1, maxLength: 3 }),
  comment: fc.option(line),
  extra: fc.constantFrom('', 'id: 7', 'retry: 10', 'unknown: x', 'data2: x'),
});

function encode(
  events: readonly { event: string; lines: string[]; comment: string | null; extra: string }[],
  end: string,
): string {
  return events
    .map(({ event: name, lines, comment, extra }) =>
      [
        ...(comment === null ? [] : [`:${comment}`]),
        ...(name === '' ? [] : [`event: ${name}`]),
        ...(extra === '' ? [] : [extra]),
        ...lines.map((each) => `data: ${each}`),
        '',
        '',
      ].join(end),
    )
    .join('');
}

describe('SseParser', () => {
  it('reads what the standard’s own examples say', () => {
    expect(parseText('data: YHOO\ndata: +2\ndata: 10\n\n')).toEqual([{ event: '', data: 'YHOO\n+2\n10' }]);
    expect(parseText(': test\n\ndata: first\nid: 1\n\ndata:second\nid\n\ndata:  third\n\n')).toEqual([
      { event: '', data: 'first' },
      { event: '', data: 'second' },
      { event: '', data: ' third' },
    ]);
    expect(parseText('data\n\ndata\ndata\n\n')).toEqual([
      { event: '', data: '' },
      { event: '', data: '\n' },
    ]);
    expect(parseText('event: add\ndata: 7\n\nevent: gone\n\ndata: 8\n\n')).toEqual([
      { event: 'add', data: '7' },
      { event: '', data: '8' },
    ]);
  });

  it('drops a byte order mark, at the start alone', () => {
    expect(parseText('\uFEFFdata: a\n\n')).toEqual([{ event: '', data: 'a' }]);
    expect(parseText('data: a\n\n\uFEFFdata: b\n\n')).toEqual([{ event: '', data: 'a' }]);
  });

  it('gives the last event of a server that leaves out the last line ends', () => {
    expect(parseText('data: a\n\ndata: [DONE]')).toEqual([
      { event: '', data: 'a' },
      { event: '', data: '[DONE]' },
    ]);
  });

  it('gives the same events for every line end and wherever the bytes are split', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 4 }), lineEnd, (events, end) => {
        const expected = events.map(({ event: name, lines }) => ({ event: name, data: lines.join('\n') }));
        const bytes = Buffer.from(encode(events, end));
        expect(parse(bytes)).toEqual(expected);
        for (let cut = 0; cut <= bytes.length; cut += 1) expect(parse(bytes, [cut])).toEqual(expected);
        expect(
          parse(
            bytes,
            Array.from({ length: bytes.length }, (_, index) => index),
          ),
        ).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });

  it('never throws on any bytes, and splitting them changes nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(200)), (bytes, cuts) => {
        expect(parse(bytes, cuts)).toEqual(parse(bytes));
      }),
    );
  });

  it('refuses an event over the limit, also one that never ends, and counts each event alone', () => {
    const parser = new SseParser(100);
    for (let index = 0; index < 50; index += 1)
      expect(parser.push(Buffer.from(`data: ${'x'.repeat(80)}\n\n`))).toHaveLength(1);
    expect(() => {
      for (let index = 0; index < 50; index += 1) parser.push(Buffer.from('data: xxxxxxxxxx\n'));
    }).toThrow(SseEventTooLargeError);
    expect(() => new SseParser(100).push(Buffer.alloc(101, 'x'))).toThrow(SseEventTooLargeError);
  });

  it('takes an event of 300 kB byte by byte in linear time', () => {
    const parseByteByByte = (bytes: Buffer): SseEvent[] => {
      const parser = new SseParser();
      let events: SseEvent[] = [];
      for (let index = 0; index < bytes.length; index += 1) events = parser.push(bytes.subarray(index, index + 1));
      return events;
    };
    const [long, short] = [300_000, 3_000].map((length) => Buffer.from(`data: ${'x'.repeat(length)}\n\n`));
    expect(parseByteByByte(long!)[0]?.data).toHaveLength(300_000);
    // A hundred times the bytes: quadratic time would be 10,000 times as long.
    const times = cpuTimeRatio(
      () => parseByteByByte(long!),
      () => parseByteByByte(short!),
    );
    expect(times).toBeLessThan(1_000);
  });
});

describe('the encoder', () => {
  it('prints what the parser reads back, for any JSON, and never a field but data', () => {
    fc.assert(
      fc.property(
        fc.array(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), { maxLength: 5 }),
        (chunks) => {
          const text = `${PING_COMMENT}${chunks.map((chunk) => encodeChunk(chunk)).join(PING_COMMENT)}${DONE_FRAME}`;
          const events = parseText(text);
          expect(events.map(({ data }) => data)).toEqual([...chunks.map((chunk) => JSON.stringify(chunk)), '[DONE]']);
          expect(text.split(/\r\n|\r|\n/).every((each) => each === '' || /^(data: |: ping$)/.test(each))).toBe(true);
        },
      ),
    );
  });

  it('prints an error with all four keys', () => {
    const error = new GatewayError({ status: 502, type: 'server_error', code: 'upstream_error', message: 'a\nb' });
    expect(encodeError(error)).toBe(
      'data: {"error":{"message":"a\\nb","type":"server_error","param":null,"code":"upstream_error"}}\n\n',
    );
  });
});
