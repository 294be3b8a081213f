import type { OpenAPIObject } from '@nestjs/swagger';
import { toOpenApi31 } from './to-openapi-31.js';

function converted(schema: object): unknown {
  const document = { openapi: '3.0.0', info: {}, paths: {}, components: { schemas: { A: schema } } };
  return toOpenApi31(document as unknown as OpenAPIObject).components?.schemas?.['A'];
}

describe('toOpenApi31', () => {
  it.each([
    [{ type: 'string' }, { type: 'string' }],
    [{ type: 'string', nullable: false }, { type: 'string' }],
    [
      { type: 'string', nullable: true, description: 'A name.' },
      { type: ['string', 'null'], description: 'A name.' },
    ],
    [
      { type: 'string', nullable: true, enum: ['a'] },
      { type: ['string', 'null'], enum: ['a', null] },
    ],
    [
      { nullable: true, description: 'B.', allOf: [{ $ref: '#/components/schemas/B' }] },
      { description: 'B.', anyOf: [{ $ref: '#/components/schemas/B' }, { type: 'null' }] },
    ],
    [
      { type: 'object', nullable: true, allOf: [{ $ref: '#/components/schemas/B' }] },
      { anyOf: [{ $ref: '#/components/schemas/B' }, { type: 'null' }] },
    ],
    [
      { nullable: true, oneOf: [{ type: 'string' }, { type: 'array', items: {} }], example: { nullable: true } },
      { anyOf: [{ type: 'string' }, { type: 'array', items: {} }, { type: 'null' }], example: { nullable: true } },
    ],
    [
      { type: 'object', properties: { a: { nullable: true, $ref: '#/components/schemas/B' } } },
      { type: 'object', properties: { a: { anyOf: [{ $ref: '#/components/schemas/B' }, { type: 'null' }] } } },
    ],
    [
      { type: 'null', nullable: true, example: null },
      { type: 'null', example: null },
    ],
    [
      { type: 'number', maximum: 9, oneOf: [{ type: 'integer' }, { type: 'string', pattern: '^9' }] },
      { maximum: 9, oneOf: [{ type: 'integer' }, { type: 'string', pattern: '^9' }] },
    ],
    [
      { type: 'string', anyOf: [{ maxLength: 1 }, { pattern: '^a' }] },
      { type: 'string', anyOf: [{ maxLength: 1 }, { pattern: '^a' }] },
    ],
  ])('turns %j into %j', (schema, expected) => {
    expect(converted(schema)).toEqual(expected);
  });

  it('says of an operation without security that it needs none', () => {
    const paths = { '/a': { get: { responses: {} }, post: { responses: {}, security: [{ bearer: [] }] } } };
    const document = toOpenApi31({ openapi: '3.0.0', info: {}, paths } as unknown as OpenAPIObject);
    expect(document.openapi).toBe('3.1.0');
    expect(document.paths['/a']?.get?.security).toEqual([]);
    expect(document.paths['/a']?.post?.security).toEqual([{ bearer: [] }]);
  });
});
