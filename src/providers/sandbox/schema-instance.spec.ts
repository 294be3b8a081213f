import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { GatewayError } from '../../errors/gateway-error.js';
import { MAX_INSTANCE_CHARACTERS } from './sandbox-bounds.js';
import { instanceOf } from './schema-instance.js';

const ajv = new Ajv2020({ strict: false });
addFormats.default(ajv);

function expectValid(schema: object): void {
  const instance = instanceOf(schema);
  const validate = ajv.compile(schema);
  expect({ instance, errors: validate(instance) ? null : validate.errors }).toEqual({ instance, errors: null });
}

/** The instance, or the 400 that says which bound the schema is beyond. */
function outcomeOf(schema: unknown): unknown {
  try {
    return instanceOf(schema, 'tools[0]');
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    expect(error).toMatchObject({ status: 400, param: 'tools[0]', retryable: false });
    return error.message;
  }
}

const leaf = fc.oneof(
  fc.constant({ type: 'boolean' }),
  fc.constant({ type: 'null' }),
  fc.record({ type: fc.constant('string'), minLength: fc.nat(20) }, { requiredKeys: ['type'] }),
  fc.nat(20).map((maxLength) => ({ type: 'string', maxLength })),
  fc
    .constantFrom('date-time', 'date', 'email', 'uuid', 'uri', 'ipv4', 'ipv6', 'hostname')
    .map((format) => ({ type: 'string', format })),
  fc
    .tuple(fc.integer({ min: -1000, max: 1000 }), fc.nat(1000))
    .map(([minimum, span]) => ({ type: 'integer', minimum, maximum: minimum + span })),
  fc.integer({ min: -100, max: 100 }).map((exclusiveMinimum) => ({ type: 'number', exclusiveMinimum })),
  fc.integer({ min: -100, max: 100 }).map((exclusiveMaximum) => ({ type: 'integer', exclusiveMaximum })),
  fc
    .tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: -500, max: 500 }))
    .map(([multipleOf, minimum]) => ({ type: 'integer', multipleOf, minimum })),
  fc
    .array(fc.oneof(fc.string(), fc.integer()), { minLength: 1, maxLength: 4 })
    .map((values) => ({ enum: [...new Set(values)] })),
  fc.jsonValue().map((value) => ({ const: value })),
  fc.constant({ type: ['string', 'null'] }),
);
const { schema: anySchema } = fc.letrec<{ schema: object; object: object; array: object; union: object }>((tie) => ({
  schema: fc.oneof({ maxDepth: 4, withCrossShrink: true }, leaf, tie('object'), tie('array'), tie('union')),
  object: fc
    .tuple(
      fc.dictionary(
        fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'),
        tie('schema'),
        { maxKeys: 4 },
      ),
      fc.boolean(),
      fc.boolean(),
    )
    .map(([properties, all, closed]) => ({
      type: 'object',
      properties,
      required: all ? Object.keys(properties) : [],
      ...(closed && { additionalProperties: false }),
    })),
  array: fc.tuple(tie('schema'), fc.nat(3)).map(([items, minItems]) => ({ type: 'array', items, minItems })),
  union: fc.tuple(tie('schema'), tie('schema')).map((anyOf) => ({ anyOf })),
}));

describe('instanceOf', () => {
  it.each([
    [{}],
    [{ type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } }, required: ['city'] }],
    [{ type: 'object', required: ['x'], additionalProperties: { type: 'integer' } }],
    [{ type: 'object', minProperties: 3 }],
    [{ type: 'array', items: { type: 'string' }, minItems: 3, uniqueItems: true }],
    [{ type: 'array', items: { enum: ['a', 'b', 'c'] }, minItems: 3, uniqueItems: true }],
    [{ type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }], items: false, minItems: 2 }],
    [{ type: 'number', minimum: 0.1, maximum: 0.2 }],
    [{ type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 }],
    [{ type: 'number', multipleOf: 0.5, minimum: 0.7 }],
    [{ type: 'string', pattern: '^\\d{5}$' }],
    [{ type: 'string', pattern: '^[A-Z]{3}$' }],
    [{ type: 'string', pattern: '^\\+[1-9]\\d{1,14}$' }],
    [
      {
        allOf: [
          { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
          { properties: { b: { type: 'integer' } }, required: ['b'] },
        ],
      },
    ],
    [{ oneOf: [{ type: 'object', properties: { kind: { const: 'a' } }, required: ['kind'] }, { type: 'null' }] }],
    [
      {
        $ref: '#/$defs/point',
        $defs: { point: { type: 'object', properties: { x: { type: 'number' } }, required: ['x'] } },
      },
    ],
    [
      {
        $defs: {
          node: {
            type: 'object',
            properties: { value: { type: 'integer' }, next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } },
            required: ['value', 'next'],
            additionalProperties: false,
          },
        },
        $ref: '#/$defs/node',
      },
    ],
    [
      {
        type: 'object',
        properties: { name: { type: 'string' }, children: { type: 'array', items: { $ref: '#' } } },
        required: ['name', 'children'],
        additionalProperties: false,
      },
    ],
  ])('satisfies %j', (schema) => {
    expectValid(schema);
  });

  it('satisfies any schema of the keywords that it knows', () => {
    fc.assert(
      fc.property(anySchema, (schema) => expectValid(schema)),
      { numRuns: 500 },
    );
  });

  it('gives the same instance each time, and an instance for any input', () => {
    fc.assert(
      fc.property(fc.oneof(anySchema, fc.jsonValue({ maxDepth: 4 })), (schema) => {
        expect(outcomeOf(schema)).toEqual(outcomeOf(schema));
      }),
    );
    expect(() => instanceOf({ $ref: '#' })).not.toThrow();
    expect(() => instanceOf({ $ref: '#/%E0%A4%A' })).not.toThrow();
    expect(outcomeOf({ allOf: [{ $ref: '#' }, { $ref: '#' }] })).toMatch(/schemas and properties/);
    expect(() => instanceOf({ type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] })).not.toThrow();
  });

  const keys = 'abcdefgh'.split('');
  const list = (count: number, make: (index: number) => unknown): unknown[] =>
    Array.from({ length: count }, (_, index) => make(index));
  const large = { const: 'x'.repeat(100_000) };
  it.each<[string, object, RegExp]>([
    ['minLength', { type: 'string', minLength: 400_000_000 }, /'minLength'/],
    ['minLength with a pattern', { type: 'string', minLength: 1e9, pattern: '^x+$' }, /'minLength'/],
    ['minItems', { type: 'array', minItems: 1e6 }, /'minItems'/],
    ['a long tuple', { type: 'array', prefixItems: list(5_000, () => ({ type: 'null' })) }, /'prefixItems'/],
    ['minProperties', { type: 'object', minProperties: 60_000 }, /'minProperties'/],
    ['arrays in arrays', { type: 'array', items: { $ref: '#' }, minItems: 1_000 }, /schemas and properties/],
    ['many strings', { type: 'array', minItems: 1_000, items: { type: 'string', minLength: 60_000 } }, /characters/],
    ['a large constant, often', { type: 'array', minItems: 1_000, items: large }, /characters/],
    [
      'long names, often',
      {
        type: 'array',
        minItems: 1_000,
        items: { type: 'object', properties: { ['n'.repeat(5_000)]: { type: 'null' } } },
      },
      /characters/,
    ],
    [
      'a wide schema that refers to itself',
      { type: 'object', properties: Object.fromEntries(keys.map((key) => [key, { $ref: '#' }])) },
      /schemas and properties/,
    ],
    [
      'wide schemas, merged often',
      {
        $defs: {
          wide: { properties: Object.fromEntries(list(5_000, (index) => [`k${index}`, {}]) as [string, object][]) },
        },
        allOf: list(1_000, () => ({ $ref: '#/$defs/wide' })),
      },
      /schemas and properties/,
    ],
    [
      'many required names, often',
      { type: 'array', minItems: 1_000, items: { type: 'object', required: list(1_000, (index) => `r${index}`) } },
      /schemas and properties|characters/,
    ],
    [
      'large enums, merged',
      { type: 'array', minItems: 500, items: { allOf: list(2, () => ({ enum: list(50_000, (index) => index) })) } },
      /schemas and properties/,
    ],
  ])('refuses %s with the bound', (_name, schema, message) => {
    expect(outcomeOf(schema)).toMatch(message);
  });

  it('makes nothing larger than its bound, for any numbers', () => {
    const size = fc.oneof(fc.nat(2_000), fc.integer({ min: 0, max: 2 ** 53 }));
    const hostile = fc.letrec<{ schema: object }>((tie) => ({
      schema: fc.oneof(
        { maxDepth: 3 },
        fc.record({ type: fc.constant('string'), minLength: size }),
        fc.record({ type: fc.constant('array'), minItems: size, items: tie('schema') }),
        fc.record({ type: fc.constant('object'), minProperties: size, additionalProperties: tie('schema') }),
        fc.constant({ $ref: '#' }),
      ),
    })).schema;
    fc.assert(
      fc.property(hostile, (schema) => {
        expect(JSON.stringify(outcomeOf(schema)).length).toBeLessThan(2 * MAX_INSTANCE_CHARACTERS);
      }),
      { numRuns: 50 },
    );
  });
});
