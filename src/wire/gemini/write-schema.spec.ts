import fc from 'fast-check';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { readSchema } from './read-schema.js';
import { writeSchema } from './write-schema.js';

const KEYWORDS = new Set([
  ...['type', 'title', 'description', 'nullable', 'format', 'enum', 'items', 'properties', 'required', 'anyOf'],
  ...[
    'minItems',
    'maxItems',
    'minLength',
    'maxLength',
    'minProperties',
    'maxProperties',
    'pattern',
    'minimum',
    'maximum',
  ],
]);
const TYPES = ['string', 'number', 'integer', 'boolean', 'array', 'object'];

/** What Google refuses a schema for, as its errors and its reference say. */
function faults(schema: unknown, path = ''): string[] {
  if (!isObject(schema)) return [`${path}: no object`];
  const found: string[] = [];
  const { type, anyOf, items, properties, required, enum: values, format } = schema;
  for (const name of Object.keys(schema)) if (!KEYWORDS.has(name)) found.push(`${path}: Unknown name "${name}"`);
  if (Array.isArray(anyOf)) {
    const beside = Object.keys(schema).filter((name) => !['anyOf', 'nullable', 'title', 'description'].includes(name));
    if (beside.length > 0) found.push(`${path}: ${beside.join()} beside anyOf`);
    anyOf.forEach((each: unknown, index) => found.push(...faults(each, `${path}.anyOf[${index}]`)));
    return found;
  }
  if (typeof type !== 'string' || !TYPES.includes(type)) found.push(`${path}: type ${String(type)}`);
  if (values !== undefined) {
    const isGood =
      type === 'string' && Array.isArray(values) && values.every((value) => typeof value === 'string' && value !== '');
    if (!isGood) found.push(`${path}: enum: only allowed for STRING type, no value empty`);
  }
  if (type === 'array' ? items === undefined : items !== undefined) found.push(`${path}: items of ${String(type)}`);
  if (type === 'string' && format !== undefined && format !== 'date-time') found.push(`${path}: format`);
  if (items !== undefined) found.push(...faults(items, `${path}.items`));
  if (isObject(properties)) {
    for (const [name, each] of Object.entries(properties)) found.push(...faults(each, `${path}.${name}`));
    for (const name of Array.isArray(required) ? required : []) {
      if (!Object.hasOwn(properties, String(name))) found.push(`${path}: required ${String(name)} is not defined`);
    }
  } else if (required !== undefined) found.push(`${path}: required without properties`);
  return found;
}

const leaf: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.constantFrom<JsonObject>(
    {},
    { title: 'Anything' },
    { type: 'string', format: 'uri' },
    { type: 'string', enum: ['a', ''] },
    { const: 'fixed' },
    { const: 3 },
    { enum: [1, 2, null] },
    { type: ['string', 'null'] },
    { type: ['string', 'number'], description: 'Either' },
    { type: 'integer', exclusiveMinimum: 0, multipleOf: 2 },
    { type: 'number', exclusiveMaximum: 1, default: 0.5 },
    { type: 'null' },
    { $ref: '#/$defs/point' },
    { $ref: 'https://example.com/other.json' },
    { type: 'string', contentEncoding: 'base64', examples: ['x'] },
  ),
);
const schemas: fc.Arbitrary<JsonObject> = fc.letrec<{ node: JsonObject }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.record({ type: fc.constant('array'), items: tie('node'), uniqueItems: fc.boolean() }),
    fc.record({
      type: fc.constant('array'),
      prefixItems: fc.array(tie('node'), { maxLength: 3 }),
      items: fc.constant(false),
    }),
    fc
      .dictionary(fc.constantFrom('a', 'b', 'type', 'items', '$ref2'), tie('node'), { maxKeys: 3 })
      .map((properties) => ({
        type: 'object',
        properties,
        required: [...Object.keys(properties), 'gone'],
        additionalProperties: false,
        propertyNames: { pattern: '^a' },
        patternProperties: { '^x': {} },
      })),
    fc.record({ anyOf: fc.array(tie('node'), { minLength: 1, maxLength: 3 }), description: fc.constant('One of') }),
    fc.record({ oneOf: fc.array(tie('node'), { minLength: 1, maxLength: 3 }), discriminator: fc.constant({}) }),
    fc.record({ allOf: fc.array(tie('node'), { minLength: 1, maxLength: 2 }), not: fc.constant({}) }),
    fc.record({ if: tie('node'), then: tie('node'), type: fc.constant('object') }),
  ),
})).node;

describe('schemas for Google', () => {
  it('rule 13: any JSON Schema becomes one that Google takes, or only a JSON Schema can say it', () => {
    fc.assert(
      fc.property(schemas, (schema) => {
        const $defs = { point: { type: 'object', properties: { x: { type: 'number' } }, required: ['x'] } };
        const written = writeSchema({ ...schema, $defs });
        if (written !== undefined) expect(faults(written)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('rule 13: keeps what a schema says in the words that Google has', () => {
    expect(
      writeSchema({
        $schema: 'http://json-schema.org/draft-07/schema#',
        type: 'object',
        properties: {
          kind: { const: 'circle' },
          radius: { type: 'number', exclusiveMinimum: 0 },
          count: { type: 'integer', exclusiveMinimum: 0, exclusiveMaximum: 10 },
          pair: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'integer' }] },
          centre: { $ref: '#/definitions/point' },
          size: { enum: [1, 2] },
          note: { anyOf: [{ type: 'string' }, { type: 'null' }], description: 'A note' },
          either: { type: ['string', 'integer'] },
          both: { allOf: [{ properties: { a: { type: 'string' } } }, { properties: { b: { type: 'boolean' } } }] },
        },
        required: ['kind', 'missing'],
        additionalProperties: false,
        definitions: { point: { type: 'object', properties: { x: { type: 'number' } } } },
      }),
    ).toEqual({
      type: 'object',
      properties: {
        kind: { type: 'string', enum: ['circle'] },
        radius: { type: 'number', minimum: 0 },
        count: { type: 'integer', minimum: 1, maximum: 9 },
        pair: { type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'integer' }] } },
        centre: { type: 'object', properties: { x: { type: 'number' } } },
        size: { type: 'integer', description: 'One of: 1, 2.' },
        note: { type: 'string', description: 'A note', nullable: true },
        either: { anyOf: [{ type: 'string' }, { type: 'integer' }] },
        both: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'boolean' } } },
      },
      required: ['kind'],
    });
  });

  it('rule 13: a schema that refers to itself, or that grows without end, is left as JSON Schema', () => {
    expect(
      writeSchema({ $ref: '#/$defs/node', $defs: { node: { properties: { next: { $ref: '#/$defs/node' } } } } }),
    ).toBeUndefined();
    expect(writeSchema({ type: 'object', properties: { self: { $ref: '#' } } })).toBeUndefined();
    const $defs: JsonObject = { d0: { type: 'string' } };
    for (let level = 1; level < 30; level += 1) {
      const below = { $ref: `#/$defs/d${level - 1}` };
      $defs[`d${level}`] = { type: 'object', properties: { a: below, b: below } };
    }
    expect(writeSchema({ $ref: '#/$defs/d29', $defs })).toBeUndefined();
    const chained = { allOf: [{ $ref: '#' }, { $ref: '#' }] };
    expect(writeSchema(chained)).toBeUndefined();
  });

  it("reads Google's own form: types in capitals, nullable, bounds as strings, either spelling", () => {
    expect(
      readSchema({
        type: 'OBJECT',
        properties: {
          list: { type: 'ARRAY', items: { type: 'INTEGER', format: 'int32' }, minItems: '1', max_items: '3' },
          name: { type: 'STRING', nullable: true, enum: ['a'] },
          any: { any_of: [{ type: 'STRING' }, { type: 'NUMBER' }], nullable: true },
        },
        propertyOrdering: ['list', 'name'],
        required: ['list'],
      }),
    ).toEqual({
      type: 'object',
      properties: {
        list: { type: 'array', items: { type: 'integer', format: 'int32' }, minItems: 1, maxItems: 3 },
        name: { type: ['string', 'null'], enum: ['a', null] },
        any: { anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'null' }] },
      },
      required: ['list'],
    });
  });
});
