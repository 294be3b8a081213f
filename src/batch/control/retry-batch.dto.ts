import { ApiProperty } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsOptional,
  IsString,
  MaxLength,
} from 'class-validator';
import { IsJobExpiry } from '../is-job-expiry.js';
import { JobOptionsDto } from './job-options.dto.js';

export const RETRIED_STATUSES = ['failed', 'expired', 'cancelled', 'succeeded'] as const;
export type RetriedStatus = (typeof RETRIED_STATUSES)[number];

/** Which tasks of a job run again, in a new job. Options that are absent are those of the old job, but for `not_before`. */
export class RetryBatchDto extends JobOptionsDto {
  /** Tasks with these statuses; those that have not ended are not among them. */
  @ApiProperty({
    enum: RETRIED_STATUSES,
    enumName: 'RetriedStatus',
    isArray: true,
    required: false,
    nullable: true,
    minItems: 1,
    default: ['failed', 'expired'],
    example: ['failed'],
  })
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(RETRIED_STATUSES.length)
  @IsIn(RETRIED_STATUSES, { each: true })
  statuses?: RetriedStatus[] | null;

  /** Only tasks with these ids, with any of the statuses, or with one of `statuses` where that is given. */
  @ApiProperty({ type: [String], required: false, nullable: true, minItems: 1, maxItems: 10_000, example: null })
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(10_000)
  @ArrayUnique()
  @IsString({ each: true })
  @MaxLength(512, { each: true })
  custom_ids?: string[] | null;

  /** Seconds after which tasks of the new job that are not finished expire; 10 s to 30 days. */
  @IsJobExpiry()
  expires_in?: number | null;
}
