import fc from 'fast-check';
import { isObject } from '../../runtime/json-value.js';
import { MemberFinder } from './member-finder.js';

function find(text: string, cuts: readonly number[]): unknown {
  const bytes = Buffer.from(text);
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const finder = new MemberFinder(['body', 'usage']);
  let start = 0;
  for (const end of [...ends, bytes.length]) {
    finder.write(bytes.subarray(start, end));
    start = end;
  }
  return finder.value === undefined ? undefined : JSON.parse(finder.value);
}

function usageOf(value: unknown): unknown {
  const body = isObject(value) ? value['body'] : undefined;
  return isObject(body) ? body['usage'] : undefined;
}

const names = fc.oneof(
  fc.constantFrom('body', 'usage', 'choices', '"', '\\', 'u\u0000'),
  fc.string({ unit: 'binary' }),
);
const { value: json } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(null, true, 1.5e-9, -7, '', '{"body":{"usage":1}}', '\\', '\\"', 'a\\\\"'),
    fc.string({ unit: 'binary' }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(names, tie('value'), { maxKeys: 5 }),
  ),
}));
const response = fc.record({
  status_code: fc.integer(),
  body: fc.oneof(json, fc.record({ a: json, usage: json, z: json })),
});

it('finds what JSON.parse finds, however the text is written and split', () => {
  fc.assert(
    fc.property(
      fc.oneof(json, response),
      fc.array(fc.nat(10_000), { maxLength: 20 }),
      fc.constantFrom(undefined, 1, '\t'),
      (value, cuts, space) => {
        const text = JSON.stringify(value, null, space);
        expect(find(text, cuts)).toEqual(usageOf(JSON.parse(text)));
      },
    ),
    { numRuns: 3_000 },
  );
});

it('splits at every byte', () => {
  const text =
    '{"x":"\\\\\\"{é}","body":{"choices":[{"usage":1}],"usage" : {"a":[1,{"b":"}\\""}]} ,"\\u0075sage":7},"usage":3}';
  expect(
    find(
      text,
      Array.from({ length: Buffer.byteLength(text) }, (_, index) => index),
    ),
  ).toBe(7);
});

it('keeps no value that is larger than it should be', () => {
  const finder = new MemberFinder(['body', 'usage']);
  finder.write(Buffer.from(`{"body":{"usage":"${'x'.repeat(1_000_000)}"}}`));
  expect(finder.value).toBeUndefined();
});
