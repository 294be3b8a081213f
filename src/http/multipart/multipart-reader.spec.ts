import fc from 'fast-check';
import { GatewayError } from '../../errors/gateway-error.js';
import { boundaryOf } from './boundary.js';
import { MultipartReader, type MultipartBounds, type MultipartPart } from './multipart-reader.js';
import { editForm, formDataType, lengthOf, type ReadForm } from './edit-form.js';

const BOUNDARY = 'xYz';
const KEEP = new Set(['model', 'prompt']);

interface Read extends ReadForm {
  readonly parts: readonly MultipartPart[];
}

function read(body: Buffer | string, { splits = [], boundary = BOUNDARY, bounds = {} }: ReadOptions = {}): Read {
  const bytes = Buffer.from(body as string);
  const reader = new MultipartReader({ boundary, keep: KEEP, bounds });
  let start = 0;
  for (const split of [...splits].sort((a, b) => a - b)) {
    const at = Math.min(split, bytes.length);
    reader.write(bytes.subarray(start, at));
    start = at;
  }
  reader.write(bytes.subarray(start));
  reader.end();
  return { boundary, parts: reader.parts, size: reader.size, firstBoundary: reader.firstBoundary };
}

interface ReadOptions {
  readonly splits?: readonly number[];
  readonly boundary?: string;
  readonly bounds?: Partial<MultipartBounds>;
}

function faultOf(body: Buffer | string, options?: ReadOptions): GatewayError | undefined {
  try {
    read(body, options);
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  return undefined;
}

/** A split behind each byte. */
function everywhere(body: Buffer | string): number[] {
  return [...Buffer.from(body as string).keys()];
}

/** The body that Node's own FormData becomes. */
async function bodyOf(form: FormData): Promise<{ bytes: Buffer; boundary: string }> {
  const response = new Response(form);
  const boundary = boundaryOf(response.headers.get('content-type') ?? '');
  return { bytes: Buffer.from(await response.arrayBuffer()), boundary };
}

/** What Node's own parser, an independent one, finds in a body. */
async function oracle(bytes: Buffer, boundary: string): Promise<[string, string | Buffer][]> {
  const response: { formData(): Promise<FormData> } = new Response(new Uint8Array(bytes), {
    headers: { 'content-type': formDataType(boundary) },
  });
  const entries: [string, string | Buffer][] = [];
  for (const [name, value] of await response.formData()) {
    entries.push([name, typeof value === 'string' ? value : Buffer.from(await value.arrayBuffer())]);
  }
  return entries;
}

function written(bytes: Buffer, segments: ReturnType<typeof editForm>): Buffer {
  return Buffer.concat(segments.map((s) => ('from' in s ? bytes.subarray(s.from, s.to) : s)));
}

// Content that is full of what ends parts elsewhere.
const nasty = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\r\n',
        '\r',
        '\n',
        '--',
        '\r\n--',
        '\r\n\r\n',
        '\r\n--x',
        '\r\n--xY',
        '--xYz',
        'Content-Type: a',
      ),
      fc.uint8Array({ maxLength: 8 }),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => Buffer.concat(pieces.map((piece) => Buffer.from(piece as string))));
const fieldName = fc.constantFrom('prompt', 'n', 'language', 'image[]', 'timestamp_granularities[]', 'ünïcode');
const fieldText = fc.string({ unit: 'grapheme', maxLength: 40 });

const form = fc.record({
  fields: fc.uniqueArray(fc.tuple(fieldName, fieldText), { maxLength: 5, selector: ([name]) => name }),
  file: nasty,
  model: fc.option(fieldText),
  order: fc.nat(3),
  splits: fc.array(fc.nat(1_500), { maxLength: 30 }),
});

describe('MultipartReader', () => {
  it('finds what an independent parser finds, however the bytes are split', async () => {
    await fc.assert(
      fc.asyncProperty(form, async ({ fields, file, model, order, splits }) => {
        const data = new FormData();
        const add = [
          () => data.append('file', new Blob([new Uint8Array(file)]), 'a "b" ü\r\n.wav'),
          () => model !== null && data.append('model', model),
          () => fields.forEach(([name, text]) => data.append(name, text)),
        ];
        for (let index = 0; index < add.length; index += 1) add[(index + order) % add.length]?.();
        const { bytes, boundary } = await bodyOf(data);
        const whole = read(bytes, { boundary });
        expect(read(bytes, { boundary, splits })).toEqual(whole);
        expect(read(bytes, { boundary, splits: everywhere(bytes) })).toEqual(whole);
        const expected = await oracle(bytes, boundary);
        expect(whole.parts.map(({ name }) => name)).toEqual(expected.map(([name]) => name));
        whole.parts.forEach((part, index) => {
          const content = bytes.subarray(part.start, part.end);
          const value = expected[index]?.[1] ?? '';
          if (part.isFile) expect(content.equals(value as Buffer)).toBe(true);
          else expect(content.toString()).toBe(value);
          expect(part.value).toBe(KEEP.has(part.name) ? value : undefined);
        });
      }),
      { numRuns: 150 },
    );
  });

  it('takes content that nearly is a boundary, and gives the same parts at every single split', () => {
    const body = Buffer.concat([
      Buffer.from('\r\n--xYz\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n'),
      Buffer.from('\r\n--xY\r\n\r--xYz\n--xY--xYz\r\n\r\n-'),
      Buffer.from('\r\n--xYz \t\r\ncontent-disposition:form-data;name=model\r\n\r\n\r\n--xYz--\r\n'),
    ]);
    const whole = read(body);
    expect(whole.parts.map(({ name, isFile, value }) => [name, isFile, value])).toEqual([
      ['file', true, undefined],
      ['model', false, ''],
    ]);
    for (let at = 0; at <= body.length; at += 1) expect(read(body, { splits: [at] })).toEqual(whole);
  });

  const part = (head: string, content = ''): string => `--xYz\r\n${head}\r\n\r\n${content}\r\n`;
  const field = (name: string, content: string): string =>
    part(`Content-Disposition: form-data; name="${name}"`, content);
  const END = '--xYz--\r\n';

  it.each([
    ['no body', '', /does not begin/],
    ['another boundary', '--other\r\n', /does not begin/],
    ['a preamble', `This is a form.\r\n${field('a', '1')}${END}`, /does not begin/],
    ['no end', field('a', '1'), /ends within part 1/],
    ['no end of a file', field('a', '1').slice(0, -2), /ends within part 1/],
    ['text behind the end', `${field('a', '1')}${END}${field('model', '1')}`, /closing boundary/],
    ['text behind a boundary', `--xYzz\r\n\r\n\r\n${END}`, /before part 1/],
    ['a longer boundary in a part', `${field('a', '1\r\n--xYzz')}${END}`, /before part 2/],
    ['bare LF before a boundary', `${field('a', '1\n--xYz\r\nb')}${END}`, /behind part 1/],
    [
      'bare LF behind a boundary',
      `--xYz\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n${END}`,
      /before part 1/,
    ],
    ['no empty line', `--xYz\r\nContent-Disposition: form-data; name="a"\r\n\r\n--xYz--`, /behind part 1/],
    ['no disposition', `${part('Content-Type: text/plain', '1')}${END}`, /content-disposition/],
    ['another disposition', `${part('Content-Disposition: attachment; name="a"', '1')}${END}`, /content-disposition/],
    ['no name', `${part('Content-Disposition: form-data; filename="a"', '1')}${END}`, /no name/],
    ['two names', `${part('Content-Disposition: form-data; name="a"; name="model"', '1')}${END}`, /twice/],
    [
      'two dispositions',
      `${part('Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b')}${END}`,
      /twice/,
    ],
    [
      'an encoded name',
      `${part("Content-Disposition: form-data; name=a; name*=utf-8''model", '1')}${END}`,
      /plain text/,
    ],
    ['an escaped name', `${part('Content-Disposition: form-data; name="mo\\del"', '1')}${END}`, /plain text/],
    ['a name that is no UTF-8', Buffer.from(`${field('m\xe9', '1')}${END}`, 'latin1'), /plain text/],
    ['an open quote', `${part('Content-Disposition: form-data; name="a', '1')}${END}`, /malformed content-disposition/],
    ['a folded line', `${part('Content-Disposition: form-data;\r\n name="a"', '1')}${END}`, /malformed header line/],
    [
      'a bare LF in a header',
      `${part('Content-Disposition: form-data; name="a"\nX: 1', '1')}${END}`,
      /malformed header line/,
    ],
    [
      'an encoding',
      `${part('Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64', 'MQ==')}${END}`,
      /base64/,
    ],
  ])('refuses %s', (_case, body, message) => {
    const fault = faultOf(body);
    expect(fault).toMatchObject({ status: 400, code: 'invalid_multipart', param: null });
    expect(fault?.message).toMatch(message);
    const { length } = Buffer.from(body as string);
    for (let at = 1; at < length; at += 1) {
      expect(faultOf(body as string, { splits: [at] })?.message).toBe(fault?.message);
    }
  });

  it.each([
    ['twice', `${field('model', 'a')}${field('model', 'b')}${END}`, 'duplicate_field'],
    ['as a file', `${part('Content-Disposition: form-data; name="model"; filename="a"', 'b')}${END}`, 'invalid_type'],
    [
      'as a file by its encoded name',
      `${part("Content-Disposition: form-data; name=model; filename*=utf-8''a", 'b')}${END}`,
      'invalid_type',
    ],
    [
      'in another charset',
      `${part('Content-Disposition: form-data; name="model"\r\nContent-Type: text/plain; charset=utf-16', 'b')}${END}`,
      'invalid_value',
    ],
    ['in bytes that are no UTF-8', Buffer.from(`${field('model', '\xe9')}${END}`, 'latin1'), 'invalid_value'],
    ['too long', `${field('model', 'b'.repeat(101))}${END}`, 'string_above_max_length'],
  ])('names a field that is sent %s', (_case, body, code) => {
    const bounds = { maxFieldBytes: 100 };
    expect(faultOf(body as string, { bounds })).toMatchObject({ status: 400, code, param: 'model' });
    const splits = everywhere(body);
    expect(faultOf(body as string, { bounds, splits })).toMatchObject({ code, param: 'model' });
  });

  it('bounds the number of parts and the bytes of headers', () => {
    const many = `${field('a', '1').repeat(4)}${END}`;
    expect(faultOf(many, { bounds: { maxParts: 4 } })).toBeUndefined();
    expect(faultOf(many, { bounds: { maxParts: 3 } })?.message).toMatch(/more than 3 parts/);
    const long = `${part(`Content-Disposition: form-data; name="${'a'.repeat(300)}"`)}${END}`;
    expect(faultOf(long, { bounds: { maxHeaderBytes: 400 } })).toBeUndefined();
    for (const splits of [[], [250], everywhere(long)]) {
      expect(faultOf(long, { bounds: { maxHeaderBytes: 200 }, splits })?.message).toMatch(/longer than 200 bytes/);
    }
    // A head that never ends is refused when it is too long, not when it has arrived.
    const endless = new MultipartReader({ boundary: BOUNDARY, keep: KEEP, bounds: { maxHeaderBytes: 200 } });
    endless.write(Buffer.from('--xYz\r\n'));
    expect(() => endless.write(Buffer.alloc(300, 'a'))).toThrow(/longer than 200 bytes/);
  });

  it('throws nothing but a 400 for any bytes', () => {
    const pieces = [
      '--xYz',
      '\r\n',
      '--',
      'Content-Disposition: form-data; name="model"',
      '\r\n\r\n',
      'a',
      '\n',
      ' ',
      '"',
      ';',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 20 }), fc.array(fc.nat(200)), (parts, splits) => {
        const body = parts.join('');
        const fault = faultOf(body);
        if (fault !== undefined) expect(fault.status).toBe(400);
        expect(faultOf(body, { splits })?.message).toBe(fault?.message);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('editForm', () => {
  it('changes one field, or adds it, and leaves out what is named; all else stays', async () => {
    const removed = fc.subarray(['prompt', 'n', 'language', 'image[]', 'ünïcode']);
    await fc.assert(
      fc.asyncProperty(form, fc.string({ maxLength: 30 }), removed, async (parts, upstream, names) => {
        const { fields, file, model, order } = parts;
        const data = new FormData();
        const addFile = (): void => data.append('file', new Blob([new Uint8Array(file)]), 'a.wav');
        if (order > 1) addFile();
        for (const [name, text] of fields.slice(0, 2)) data.append(name, text);
        if (model !== null) data.append('model', model);
        if (order <= 1) addFile();
        for (const [name, text] of fields.slice(2)) data.append(name, text);
        const { bytes, boundary } = await bodyOf(data);
        const remove = new Set(names);
        const segments = editForm(read(bytes, { boundary }), { field: 'model', value: upstream, remove });
        const sent = written(bytes, segments);
        expect(sent.length).toBe(lengthOf(segments));
        const before = await oracle(bytes, boundary);
        const after = await oracle(sent, boundary);
        expect(after.filter(([name]) => name !== 'model')).toEqual(
          before.filter(([name]) => name !== 'model' && !remove.has(name)),
        );
        expect(after.filter(([name]) => name === 'model')).toEqual([['model', upstream]]);
        const again = read(sent, { boundary });
        expect(again.parts.map(({ name }) => name)).toEqual(after.map(([name]) => name));
      }),
      { numRuns: 150 },
    );
  });
});

describe('boundaryOf', () => {
  it.each([
    ['multipart/form-data; boundary=abc', 'abc'],
    ['Multipart/Form-Data;boundary="a b:c"', 'a b:c'],
    [
      'multipart/form-data; charset=utf-8; BOUNDARY=----WebKitFormBoundary7MA4YWxkTrZu0gW',
      '----WebKitFormBoundary7MA4YWxkTrZu0gW',
    ],
  ])('reads %s', (type, boundary) => {
    expect(boundaryOf(type)).toBe(boundary);
    expect(boundaryOf(formDataType(boundary))).toBe(boundary);
  });

  it.each([
    ['', 415],
    ['application/json', 415],
    ['multipart/mixed; boundary=abc', 415],
    ['multipart/form-data', 400],
    ['multipart/form-data; boundary=', 400],
    ['multipart/form-data; boundary=a; boundary=b', 400],
    [`multipart/form-data; boundary=${'a'.repeat(71)}`, 400],
    ['multipart/form-data; boundary="a "', 400],
    ['multipart/form-data; boundary="a\\"b"', 400],
  ])('refuses %j', (type, status) => {
    expect(() => boundaryOf(type)).toThrow(expect.objectContaining({ status }) as Error);
  });
});
