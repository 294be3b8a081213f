import 'reflect-metadata';
import { Body, Controller, Post, Query, UsePipes } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { OpenAPIObject } from '@nestjs/swagger';
import { ApiProperty } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsNumber,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateIf,
  validateSync,
} from 'class-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { StrictBodyPipe } from '../http/strict-body.pipe.js';
import { describedRoutes } from './described-routes.js';
import { describeValidation } from './describe-validation.js';
import { applyRules, rulesOf } from './validator-schema.js';

class PartDto {
  @IsInt()
  @Min(0)
  count!: number;
}

class OrderDto {
  @IsString()
  @IsNotEmpty()
  @MaxLength(5)
  name!: string;

  @IsOptional()
  @IsInt()
  @Min(-3)
  @Max(7)
  level?: number;

  @IsOptional()
  @IsNumber()
  @Max(1)
  share?: number;

  @IsOptional()
  @Matches(/^[a-c]+$/)
  @IsString()
  code?: string;

  @ValidateIf((_body, value) => value !== undefined)
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(3)
  @ArrayUnique()
  @IsIn(['x', 'y', 'z'], { each: true })
  kinds?: string[];

  @ApiProperty({ type: [PartDto] })
  @IsOptional()
  parts?: PartDto[];
}

class PageDto {
  @IsOptional()
  @IsInt()
  @Max(100)
  limit?: number;
}

@Controller('orders')
class OrdersController {
  @UsePipes(StrictBodyPipe)
  @Post()
  createOrder(@Body() body: OrderDto, @Query() query: PageDto): unknown {
    return [body, query];
  }

  @Post('open')
  passOrder(@Body() body: PartDto): unknown {
    return body;
  }
}

/** The document as Nest makes it without the validators. */
function bareDocument(): OpenAPIObject {
  const property = (type: string) => ({ type });
  const bodyOf = (name: string) => ({
    required: true,
    content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } },
  });
  return {
    openapi: '3.0.0',
    info: { title: 'orders', version: '1' },
    paths: {
      '/orders': {
        post: {
          operationId: 'createOrder',
          parameters: [{ name: 'limit', in: 'query', required: true, schema: { type: 'number' } }],
          requestBody: bodyOf('OrderDto'),
          responses: {},
        },
      },
      '/orders/open': { post: { operationId: 'passOrder', requestBody: bodyOf('PartDto'), responses: {} } },
    },
    components: {
      schemas: {
        OrderDto: {
          type: 'object',
          properties: {
            name: property('string'),
            level: property('number'),
            share: property('number'),
            code: property('string'),
            kinds: { type: 'array', items: property('string') },
            parts: { type: 'array', items: { $ref: '#/components/schemas/PartDto' } },
          },
          required: ['level', 'parts'],
        },
        PartDto: { type: 'object', properties: { count: property('number') } },
      },
    },
  };
}

function described(): OpenAPIObject {
  const modules = new Map([['orders', { controllers: new Map([['o', { metatype: OrdersController }]]) }]]);
  const document = bareDocument();
  describeValidation(document, describedRoutes(modules as unknown as ModulesContainer));
  return document;
}

describe('the document of what validators check', () => {
  it('has their types, bounds and patterns, closed where a pipe refuses unknown members', () => {
    const { OrderDto: order, PartDto: part } = described().components?.schemas as Record<string, unknown>;
    expect(order).toEqual({
      type: 'object',
      additionalProperties: false,
      required: ['name'],
      properties: {
        name: { type: 'string', minLength: 1, maxLength: 5 },
        level: { type: 'integer', minimum: -3, maximum: 7 },
        share: { type: 'number', maximum: 1 },
        code: { type: 'string', pattern: '^[a-c]+$' },
        kinds: {
          type: 'array',
          minItems: 1,
          maxItems: 3,
          uniqueItems: true,
          items: { type: 'string', enum: ['x', 'y', 'z'] },
        },
        parts: { type: 'array', items: { $ref: '#/components/schemas/PartDto' } },
      },
    });
    expect(part).toEqual({
      type: 'object',
      // First used by the closed body.
      additionalProperties: false,
      required: ['count'],
      properties: { count: { type: 'integer', minimum: 0 } },
    });
  });

  it('has those of queries', () => {
    expect(described().paths['/orders']?.post?.parameters).toEqual([
      { name: 'limit', in: 'query', required: false, schema: { type: 'integer', maximum: 100 } },
    ]);
  });

  it('leaves schemas of alternatives and references as their decorators have them', () => {
    const rules = rulesOf(PageDto).get('limit');
    if (rules === undefined) throw new Error('no rules');
    for (const schema of [{ oneOf: [{ type: 'string' }] }, { $ref: '#/x' }, { anyOf: [{}] }, { type: 'null' }]) {
      const copy = structuredClone(schema);
      applyRules(copy, rules);
      expect(copy).toEqual(schema);
    }
  });

  it('decides as the validators do, for any body', () => {
    const schema = (described().components?.schemas as Record<string, object>)['OrderDto'];
    const { parts: _parts, ...properties } = (schema as { properties: Record<string, object> }).properties;
    const validate = new Ajv2020({ strict: false }).compile({ ...schema, properties, additionalProperties: true });
    const value = fc.oneof(
      fc.string({ maxLength: 7 }),
      fc.integer({ min: -5, max: 9 }),
      fc.double({ min: -2, max: 2, noNaN: true }),
      fc.boolean(),
      fc.stringMatching(/^[a-d]{1,6}$/),
      fc.array(fc.constantFrom('x', 'y', 'z', 'w'), { maxLength: 4 }),
    );
    const body = fc.record(
      { name: fc.oneof(fc.string({ maxLength: 6 }), value), level: value, share: value, code: value, kinds: value },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(body, (fields) => {
        const isTaken = validateSync(Object.assign(new OrderDto(), fields)).length === 0;
        expect([fields, validate(fields)]).toEqual([fields, isTaken]);
      }),
      { numRuns: 2_000 },
    );
  });
});
