import fc from 'fast-check';
import { GatewayError } from '../errors/gateway-error.js';
import { assertFinite, JsonBounds, MAX_DEPTH, MAX_KEYS, MAX_OBJECT_KEYS, MAX_VALUES } from './json-bounds.js';

function scan(text: string | Buffer, splits: readonly number[] = []): JsonBounds {
  const bytes = Buffer.from(text as string);
  const bounds = new JsonBounds();
  let start = 0;
  for (const split of [...splits].sort((one, other) => one - other)) {
    const at = Math.max(start, Math.min(split, bytes.length));
    bounds.write(bytes.subarray(start, at));
    start = at;
  }
  bounds.write(bytes.subarray(start));
  return bounds;
}

function faultOf(run: () => unknown): { code: string | null; param: string | null } | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    expect(error.status).toBe(400);
    if (error.param !== null) expect(error.message).toContain(`'${error.param}'`);
    return { code: error.code, param: error.param };
  }
}

const nest = (open: string, close: string, depth: number): string => `${open.repeat(depth)}1${close.repeat(depth)}`;
const members = (count: number): string => Array.from({ length: count }, (_, index) => `"k${index}":1`).join(',');
const splits = fc.array(fc.nat(5_000), { maxLength: 8 });
const wildString = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('"', '\\', '{', '[', ':', ',', 'é', '😀') }),
);

describe('JsonBounds', () => {
  it('lets every JSON within the bounds pass, however it is split, spaced and quoted', () => {
    const anyJson = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        wildString,
        fc.double(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 5 }),
        fc.dictionary(wildString, tie('value'), { maxKeys: 5 }),
      ),
    })).value;
    fc.assert(
      fc.property(anyJson, splits, fc.constantFrom(undefined, 1, '\t'), (value, at, space) => {
        const text = JSON.stringify({ value }, null, space);
        expect(scan(text, at).bytes().toString()).toBe(text);
      }),
    );
  });

  it.each([
    ['arrays', '[', ']'],
    ['objects', '{"a":', '}'],
    ['both', '[{"b":', '}]'],
  ])('takes %s up to the depth and refuses one level more', (_name, open, close) => {
    const levels = open.startsWith('[{') ? 2 : 1;
    expect(() => scan(nest(open, close, MAX_DEPTH / levels))).not.toThrow();
    expect(faultOf(() => scan(nest(open, close, MAX_DEPTH / levels + 1)))?.code).toBe('too_deeply_nested');
    expect(faultOf(() => scan(nest(open, close, 100_000), [3, 70, 1_000]))?.code).toBe('too_deeply_nested');
  });

  it('names the path of what is beyond a bound, wherever it is', () => {
    const step = fc.oneof(fc.nat(3), fc.constantFrom('a', 'b"c', 'd\\e', 'ключ', 'f.g'));
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 5 }), splits, (path, at) => {
        const inner = `{${members(MAX_OBJECT_KEYS + 1)}}`;
        const text = path.reduceRight<string>(
          (value, each) =>
            typeof each === 'number'
              ? `[${'"x:,{",'.repeat(each)}${value}]`
              : `{"x":[{"y":1},"]"],${JSON.stringify(each)}:${value}}`,
          inner,
        );
        const expected = path.reduce<string>(
          (all, each) => (typeof each === 'number' ? `${all}[${each}]` : all === '' ? each : `${all}.${each}`),
          '',
        );
        expect(faultOf(() => scan(text, at))).toEqual({ code: 'object_above_max_keys', param: expected });
      }),
      { numRuns: 40 },
    );
  });

  it('counts members and values of the whole as well', () => {
    const many = `{"a":[${Array.from({ length: MAX_KEYS / 1_000 + 1 }, () => `{${members(1_000)}}`).join(',')}]}`;
    expect(faultOf(() => scan(many))).toEqual({ code: 'object_above_max_keys', param: 'a' });
    expect(faultOf(() => scan(`{"list":[${'0,'.repeat(MAX_VALUES)}0]}`))).toEqual({
      code: 'array_above_max_length',
      param: 'list',
    });
    expect(faultOf(() => scan(`[${'[],'.repeat(MAX_VALUES)}[]]`))?.code).toBe('array_above_max_length');
  });

  it('never fails on bytes that are no JSON', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), splits, (bytes, at) => {
        faultOf(() => scan(Buffer.from(bytes), at));
      }),
    );
    expect(() => scan(']'.repeat(1_000) + '}'.repeat(1_000) + ':'.repeat(100) + ','.repeat(100))).not.toThrow();
  });

  it('sees every number that no double holds', () => {
    const large = fc.oneof(
      fc.integer({ min: 309, max: 99_999 }).map((exponent) => `1e${exponent}`),
      fc.integer({ min: 309, max: 9_999 }).map((exponent) => `-4.2E+${exponent}`),
      fc.integer({ min: 310, max: 600 }).map((digits) => '9'.repeat(digits)),
    );
    fc.assert(
      fc.property(large, fc.jsonValue(), splits, (number, other, at) => {
        const text = `{"other":${JSON.stringify(other)},"a":[1,{"b":${number}}]}`;
        expect(scan(text, at).mayOverflow).toBe(true);
        expect(faultOf(() => assertFinite(JSON.parse(text)))).toEqual({ code: 'invalid_value', param: 'a[1].b' });
      }),
    );
    expect(scan('{"a":[true,false,12.5,-0.1,123456789012345678901234567890]}').mayOverflow).toBe(false);
    expect(() => assertFinite(JSON.parse('{"a":[1e308,-1e308,1e-400]}'))).not.toThrow();
  });
});
