import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsOptional, Max, Min } from 'class-validator';
import { DEFAULT_EXPIRY_SECONDS, MAX_EXPIRY_SECONDS, MIN_EXPIRY_SECONDS } from './submission/new-job.js';

/** Optional seconds after which what has not ended of a job expires. */
export const IsJobExpiry = (): PropertyDecorator =>
  applyDecorators(
    ApiProperty({
      type: 'integer',
      required: false,
      nullable: true,
      default: DEFAULT_EXPIRY_SECONDS,
      minimum: MIN_EXPIRY_SECONDS,
      maximum: MAX_EXPIRY_SECONDS,
      example: DEFAULT_EXPIRY_SECONDS,
    }),
    IsOptional(),
    IsInt(),
    Min(MIN_EXPIRY_SECONDS),
    Max(MAX_EXPIRY_SECONDS),
  );
