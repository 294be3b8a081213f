import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsInt, IsOptional, Max, Min } from 'class-validator';
import { PageQueryDto } from './page-query.dto.js';
import { LATEST_EPOCH_SECONDS, queryTime, TIME_MESSAGE, timeSchema } from './query-time.js';

/** Which page of a list, and of which time. */
export class TimeSpanQueryDto extends PageQueryDto {
  /** From when on: Unix seconds, or a date or time as of ISO 8601. */
  @ApiProperty({ required: false, ...timeSchema() })
  @IsOptional()
  @Transform(({ value }) => queryTime(value))
  @IsInt(TIME_MESSAGE)
  @Min(0)
  @Max(LATEST_EPOCH_SECONDS)
  start?: number;

  /** Until when, not included: Unix seconds, or a date or time as of ISO 8601. */
  @ApiProperty({ required: false, ...timeSchema() })
  @IsOptional()
  @Transform(({ value }) => queryTime(value))
  @IsInt(TIME_MESSAGE)
  @Min(0)
  @Max(LATEST_EPOCH_SECONDS)
  end?: number;
}
