import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsObject,
  IsOptional,
  IsString,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { TASK_ORDERS, type TaskOrder } from './job-options.js';
import { IsRunWindow } from './is-run-window.js';

const MAX_PER_MINUTE = 1_000_000_000;
const MAX_WINDOWS = 20;

/** How many tasks, and tokens of them, may start in a minute. */
export class JobRateDto {
  /** Tasks that start in any minute, in all processes together. */
  @ApiProperty({ type: 'integer', required: false, nullable: true, minimum: 1, maximum: MAX_PER_MINUTE, example: 600 })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_PER_MINUTE)
  requests_per_minute?: number | null;

  /** Tokens of tasks that start in any minute, prompt and longest response, as the gateway estimates them. */
  @ApiProperty({
    type: 'integer',
    required: false,
    nullable: true,
    minimum: 1,
    maximum: MAX_PER_MINUTE,
    example: 200000,
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_PER_MINUTE)
  tokens_per_minute?: number | null;
}

/** Optional bounds of a job: what it may cost, and when and how fast its tasks run. */
export class JobOptionsDto {
  /**
   * US dollars that the job does not exceed: a task starts only if its highest cost and that of all tasks in flight fit. Tasks that
   * cannot fit any more end as failed, with the code `cost_limit_reached`. Each model needs a known price.
   */
  @ApiProperty({ type: Number, required: false, nullable: true, minimum: 0, maximum: 1_000_000, example: 25 })
  @IsOptional()
  @IsNumber()
  @Min(0)
  @Max(1_000_000)
  max_cost_usd?: number | null;

  /** The rate at which tasks start. */
  @ApiProperty({ type: JobRateDto, required: false, nullable: true })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => JobRateDto)
  rate?: JobRateDto | null;

  /** Tasks of the job that run at once, in all processes together. */
  @ApiProperty({ type: 'integer', required: false, nullable: true, minimum: 1, maximum: 10_000, example: 10 })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(10_000)
  concurrency?: number | null;

  /** The Unix timestamp (in seconds) before which no task starts. */
  @ApiProperty({ type: 'integer', required: false, nullable: true, minimum: 0, example: 1767225600 })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(253_402_300_799)
  not_before?: number | null;

  /**
   * Times of day in which tasks may start, `[weekdays ]HH:MM-HH:MM[ time zone]`: `22:00-06:00 Europe/Berlin`, `Sat,Sun 00:00-24:00 UTC`.
   * Weekdays are those on which a window opens. The clock of the time zone decides, also when summer time begins and ends.
   */
  @ApiProperty({
    type: [String],
    required: false,
    nullable: true,
    minItems: 1,
    maxItems: MAX_WINDOWS,
    example: ['22:00-06:00 Europe/Berlin', 'Sat,Sun 00:00-24:00 Europe/Berlin'],
  })
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_WINDOWS)
  @IsString({ each: true })
  @IsRunWindow({ each: true })
  windows?: string[] | null;

  /** Whether tasks with the same request are run once, and all of them get its result. The call is billed once. */
  @ApiProperty({ type: Boolean, required: false, nullable: true, default: false, example: true })
  @IsOptional()
  @IsBoolean()
  dedupe?: boolean | null;

  /**
   * The order in which tasks start. `prefix` starts tasks whose prompts begin alike after each other, so that they find their prompt in
   * the provider's cache. Results are in the order of the submission.
   */
  @ApiProperty({
    enum: TASK_ORDERS,
    enumName: 'BatchTaskOrder',
    required: false,
    nullable: true,
    default: 'submitted',
    example: 'prefix',
  })
  @IsOptional()
  @IsIn(TASK_ORDERS)
  order?: TaskOrder | null;
}
