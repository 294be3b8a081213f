import { ApiProperty, OmitType } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { ListOf } from '../../http/list-of.js';
import { INTERVALS, UsageFilterDto } from './usage-query.dto.js';

export const LATENCY_GROUPS = ['none', 'model', 'provider'] as const;

/** Which calls to measure, and into which rows. */
export class LatencyQueryDto extends OmitType(UsageFilterDto, ['after', 'limit']) {
  /** Duration of a row, in UTC; `none` is the whole time. At most 1,000 rows are given, the latest. */
  @ApiProperty({ enum: INTERVALS, enumName: 'UsageInterval', required: false, default: 'day', example: 'day' })
  @IsOptional()
  @IsIn(INTERVALS)
  interval?: (typeof INTERVALS)[number];

  /** The dimension of the groups. */
  @ApiProperty({ enum: LATENCY_GROUPS, enumName: 'LatencyGroup', required: false, default: 'none', example: 'model' })
  @IsOptional()
  @IsIn(LATENCY_GROUPS)
  group_by?: (typeof LATENCY_GROUPS)[number];
}

/** Percentiles in milliseconds, to about 7 %; null where nothing was measured. */
export class PercentilesDto {
  /** Half of the requests took no longer. */
  @ApiProperty({ type: 'integer', nullable: true, example: 420 })
  p50!: number | null;
  /** 95 % took no longer. */
  @ApiProperty({ type: 'integer', nullable: true, example: 1300 })
  p95!: number | null;
  /** 99 % took no longer. */
  @ApiProperty({ type: 'integer', nullable: true, example: 2900 })
  p99!: number | null;
}

/** How long the requests of a time and a group took. */
export class LatencyRowDto {
  /** When the row's time begins, in Unix seconds. */
  @ApiProperty({ type: 'integer', example: 1795392000 })
  bucket!: number;
  /** The model or provider; null without groups, or where the request had none. */
  @ApiProperty({ type: String, nullable: true, example: 'sandbox/echo' })
  group!: string | null;
  /** Succeeded requests of clients; tasks of batches are not measured. */
  @ApiProperty({ type: 'integer', example: 12 })
  requests!: number;
  /** Milliseconds to the first event of streams. */
  @ApiProperty({ type: PercentilesDto })
  first_byte_ms!: PercentilesDto;
  /** Milliseconds to the end. */
  @ApiProperty({ type: PercentilesDto })
  duration_ms!: PercentilesDto;
}

/** Latencies, the latest first. */
export class LatencyRowListDto extends ListOf(LatencyRowDto, 'The rows.') {}
