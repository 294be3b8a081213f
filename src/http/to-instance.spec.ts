import 'reflect-metadata';
import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsObject, IsOptional, IsString, MaxLength, Min, ValidateNested } from 'class-validator';
import fc from 'fast-check';
import { cpuTimeRatio } from '../../test/fixtures/cpu-time.js';
import { GatewayError } from '../errors/gateway-error.js';
import { IsSmallObject } from './is-small-object.js';
import { toInstance } from './to-instance.js';

class InnerDto {
  @IsInt()
  @Min(1)
  count!: number;

  @IsOptional()
  @IsString()
  note?: string;
}

class OuterDto {
  @IsString()
  @MaxLength(20)
  name!: string;

  @IsOptional()
  @IsString({ each: true })
  tags?: string[];

  @ApiProperty({ type: InnerDto, nullable: true })
  @IsOptional()
  @ValidateNested()
  @Type(() => InnerDto)
  inner?: InnerDto | null;

  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true })
  @IsOptional()
  @IsObject()
  @IsSmallObject()
  metadata?: Record<string, unknown> | null;

  @IsOptional()
  @Type(() => Number)
  @IsInt()
  limit?: number;
}

const read = (json: string): OuterDto => toInstance(OuterDto, JSON.parse(json), { strayNull: 'fault' });

function faultOf(json: string): string {
  try {
    return JSON.stringify(read(json));
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return `${error.status} ${error.code} ${error.param}`;
  }
}

describe('toInstance', () => {
  it('keeps free-form objects as they were parsed, with any member names', () => {
    const names = fc.oneof(
      fc.constantFrom('constructor', '__proto__', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', 'then'),
      fc.string({ unit: 'binary', maxLength: 5 }),
    );
    const leaf = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.constant(null));
    const json = fc.oneof(
      leaf.map((value) => JSON.stringify(value)),
      fc
        .array(fc.tuple(names, leaf), { maxLength: 4 })
        .map((all) => `{${all.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`),
    );
    fc.assert(
      fc.property(names, json, (name, value) => {
        const metadata = `{${JSON.stringify(name)}:${value}}`;
        const made = read(`{"name":"x","metadata":${metadata}}`);
        expect(made).toBeInstanceOf(OuterDto);
        expect(JSON.stringify(made.metadata)).toBe(JSON.stringify(JSON.parse(metadata)));
      }),
    );
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it.each([
    ['{"name":"x","constructor":1}', '400 unknown_parameter constructor'],
    ['{"name":"x","__proto__":{"limit":1}}', '400 unknown_parameter __proto__'],
    ['{"name":"x","inner":{"count":1,"toString":1}}', '400 unknown_parameter inner.toString'],
    ['{"name":"x","inner":{"count":1,"constructor":{"prototype":{}}}}', '400 unknown_parameter inner.constructor'],
    ['{"name":"x","inner":[]}', '400 invalid_type inner'],
    ['{"name":"x","inner":[{"count":1}]}', '400 invalid_type inner'],
    ['{"name":"x","inner":"y"}', '400 invalid_type inner'],
    ['{"name":"x","inner":{"count":0}}', '400 invalid_value inner.count'],
    ['{"name":{"$ne":1}}', '400 invalid_type name'],
    ['{"name":null}', '400 missing_required_parameter name'],
    ['{"name":"x","tags":null}', '400 invalid_type tags'],
    ['{"name":"x","inner":{"count":1,"note":null}}', '400 invalid_type inner.note'],
    ['{"name":"a\\u0000b"}', '400 invalid_value name'],
    ['{"name":"\\ud800"}', '400 invalid_value name'],
    ['{"name":"x","tags":["y","\\udc00"]}', '400 invalid_value tags[1]'],
    ['{"name":"x","inner":{"count":1,"note":"\\u0000"}}', '400 invalid_value inner.note'],
    ['[]', '400 invalid_type null'],
    ['{"name":"x","limit":"7"}', '{"name":"x","limit":7}'],
    ['{"name":"x","inner":null,"metadata":null}', '{"name":"x","inner":null,"metadata":null}'],
  ])('makes of %s: %s', (json, expected) => {
    expect(faultOf(json)).toBe(expected);
  });

  it('leaves out null without a meaning where that is asked for', () => {
    expect({ ...toInstance(OuterDto, { name: 'x', tags: null }, { strayNull: 'absent' }) }).toEqual({ name: 'x' });
  });

  it('reads only what is declared', () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, { a: { b: index } }]));
    const few = { k: { a: { b: 1 } } };
    const refused = (value: object): unknown => {
      try {
        return toInstance(OuterDto, { name: 'x', zzz: value }, { strayNull: 'fault' });
      } catch (error) {
        return error;
      }
    };
    refused(few);
    expect(refused(many)).toMatchObject({ code: 'unknown_parameter', param: 'zzz' });
    // The work must not grow with the members: quadratic work on 10,000 of them took seconds, and linear work takes 10,000 times as long.
    const times = cpuTimeRatio(
      () => refused(many),
      () => refused(few),
    );
    expect(times).toBeLessThan(500);
  });
});
