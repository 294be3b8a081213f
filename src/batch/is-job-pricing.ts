import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { JOB_PRICINGS } from './native/tiers.js';

/** Optional choice of the price against time. */
export const IsJobPricing = (): PropertyDecorator =>
  applyDecorators(
    ApiProperty({
      enum: JOB_PRICINGS,
      enumName: 'BatchPricing',
      required: false,
      nullable: true,
      default: 'live',
      example: 'live',
    }),
    IsOptional(),
    IsIn(JOB_PRICINGS),
  );
