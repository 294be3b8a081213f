import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsNotEmpty, IsObject, IsOptional, IsString, Matches, MaxLength, ValidateNested } from 'class-validator';
import { FileExpiryDto } from '../../files/file-expiry.dto.js';
import { BATCH_ENDPOINTS } from '../batch-generate.dto.js';
import { JobOptionsDto } from '../control/job-options.dto.js';
import { IsJobPricing } from '../is-job-pricing.js';
import type { JobPricing } from '../native/tiers.js';
import { IsMetadata } from './is-metadata.js';

const STATUSES = [
  'validating',
  'failed',
  'in_progress',
  'finalizing',
  'completed',
  'expired',
  'cancelling',
  'cancelled',
] as const;
export type FileBatchStatus = (typeof STATUSES)[number];

/** A time in Unix seconds that is null until something has happened. */
const TIME = { type: 'integer', nullable: true } as const;

/** A batch of the requests of a file. The options of jobs and `pricing` are the gateway's own. */
export class CreateFileBatchDto extends JobOptionsDto {
  /** The id of an uploaded file of purpose `batch` whose lines are `{"custom_id", "method": "POST", "url", "body"}`. */
  @ApiProperty({ example: 'file-68f0c1d2a3b4c5d6e7f80912' })
  @IsString()
  @IsNotEmpty()
  @MaxLength(64)
  input_file_id!: string;

  /** The endpoint of every line. */
  @ApiProperty({ type: String, enum: [...BATCH_ENDPOINTS], example: '/v1/chat/completions' })
  @IsString()
  @IsNotEmpty()
  @MaxLength(64)
  endpoint!: string;

  /** The time within which the batch runs; requests that have not ended by then expire. Seconds, minutes, hours or days, 10s to 30d: `24h`. */
  @ApiProperty({ example: '24h' })
  @IsString()
  @Matches(/^[1-9]\d{0,4}[smhd]$/, { message: '$property must be a number with a unit: 30m, 24h or 7d.' })
  completion_window!: string;

  /** Up to 16 texts by name: names of at most 64 characters, texts of at most 512. */
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string' },
    selfRequired: false,
    nullable: true,
    example: { run: 'nightly' },
  })
  @IsOptional()
  @IsMetadata()
  metadata?: Record<string, string> | null;

  /**
   * The gateway's own: how the price is chosen against time, as for POST /v1/batch/generate. Models that do not have the tier run at
   * the list price.
   */
  @IsJobPricing()
  pricing?: JobPricing | null;

  /** When the files of results are deleted. By default they are kept as long as the batch, and never longer: see `batch.retention`. */
  @ApiProperty({ type: FileExpiryDto, required: false, nullable: true, example: null })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => FileExpiryDto)
  output_expires_after?: FileExpiryDto | null;
}

/** The number of requests of a batch. */
export class FileBatchCountsDto {
  /** All requests; 0 while the file is being validated. */
  @ApiProperty({ type: 'integer', example: 2 })
  total!: number;
  /** Requests with a response. */
  @ApiProperty({ type: 'integer', example: 2 })
  completed!: number;
  /** Requests that failed. Cancelled and expired ones are not among them. */
  @ApiProperty({ type: 'integer', example: 0 })
  failed!: number;
}

/** A fault of an input file. */
export class FileBatchFaultDto {
  /** An identifier of the kind of fault. */
  @ApiProperty({ example: 'invalid_json_line' })
  code!: string;
  /** The line, from 1; null where no line is at fault. */
  @ApiProperty({ type: 'integer', nullable: true, example: 3 })
  line!: number | null;
  /** What is wrong. */
  @ApiProperty({ example: 'This line is not parseable as valid JSON.' })
  message!: string;
  /** The path in the line; null where all of it is at fault. */
  @ApiProperty({ type: String, nullable: true, example: null })
  param!: string | null;
}

/** Why a batch failed: the first 100 faults of its input file. */
export class FileBatchFaultsDto {
  /** Always `list`. */
  @ApiProperty({ enum: ['list'], example: 'list' })
  object!: 'list';
  /** The faults, in the order of the lines. */
  @ApiProperty({ type: [FileBatchFaultDto] })
  data!: FileBatchFaultDto[];
}

/** The most frequent error of the requests of a batch. */
export class FileBatchTopErrorDto {
  /** Its code, or its type where it has none. */
  @ApiProperty({ type: String, nullable: true, example: 'upstream_error' })
  code!: string | null;
  /** Its message. */
  @ApiProperty({ example: 'The provider failed.' })
  message!: string;
  /** Requests that failed with it. */
  @ApiProperty({ type: 'integer', example: 2 })
  count!: number;
}

/** A batch. Times are Unix timestamps in seconds. */
export class FileBatchDto {
  /**
   * The id of the batch.
   * @example "batch_68f0c1d2a3b4c5d6e7f80912"
   */
  id!: string;
  /** Always `batch`. */
  @ApiProperty({ enum: ['batch'], example: 'batch' })
  object!: 'batch';
  /** The endpoint of its requests. */
  @ApiProperty({ example: '/v1/chat/completions' })
  endpoint!: string;
  /** The faults of the input file; null where there are none. */
  @ApiProperty({ type: FileBatchFaultsDto, nullable: true, example: null })
  errors!: FileBatchFaultsDto | null;
  /** The file of its requests. */
  @ApiProperty({ example: 'file-68f0c1d2a3b4c5d6e7f80912' })
  input_file_id!: string;
  /** As it was sent. */
  @ApiProperty({ example: '24h' })
  completion_window!: string;
  /** Its status. */
  @ApiProperty({ enum: STATUSES, enumName: 'FileBatchStatus', example: 'completed' })
  status!: FileBatchStatus;
  /** The file of the responses, readable as soon as there is one; null while there is none. */
  @ApiProperty({ type: String, nullable: true, example: 'file-68f0c1d2a3b4c5d6e7f80913' })
  output_file_id!: string | null;
  /** The file of the requests without a response; null while there is none. */
  @ApiProperty({ type: String, nullable: true, example: null })
  error_file_id!: string | null;
  /** When the batch was created. */
  @ApiProperty({ type: 'integer', example: 1767225600 })
  created_at!: number;
  /** When its file had been validated. */
  @ApiProperty({ ...TIME, example: 1767225601 })
  in_progress_at!: number | null;
  /** When requests that have not ended expire. */
  @ApiProperty({ type: 'integer', example: 1767312000 })
  expires_at!: number;
  /** When the last request ended. */
  @ApiProperty({ ...TIME, example: 1767225602 })
  finalizing_at!: number | null;
  /** When it was completed. */
  @ApiProperty({ ...TIME, example: 1767225602 })
  completed_at!: number | null;
  /** When it failed. */
  @ApiProperty({ ...TIME, example: null })
  failed_at!: number | null;
  /** When it expired. */
  @ApiProperty({ ...TIME, example: null })
  expired_at!: number | null;
  /** When cancelling was asked for. */
  @ApiProperty({ ...TIME, example: null })
  cancelling_at!: number | null;
  /** When it was cancelled. */
  @ApiProperty({ ...TIME, example: null })
  cancelled_at!: number | null;
  /** The requests, as they are now. */
  @ApiProperty({ type: FileBatchCountsDto })
  request_counts!: FileBatchCountsDto;
  /** As it was sent. */
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string' },
    nullable: true,
    example: { run: 'nightly' },
  })
  metadata!: Record<string, string> | null;
  /** The tokens of all responses, once the batch has ended: `input_tokens`, `output_tokens`, `total_tokens` and their details. */
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true, example: null })
  usage!: object | null;
  /** The most frequent error of its requests, once the batch has ended; null where none failed. */
  @ApiProperty({ type: FileBatchTopErrorDto, nullable: true, example: null })
  top_error!: FileBatchTopErrorDto | null;
}

/** A page of batches, newest first. */
export class FileBatchListDto {
  /** Always `list`. */
  @ApiProperty({ enum: ['list'], example: 'list' })
  object!: 'list';
  /** The batches of this page. */
  @ApiProperty({ type: [FileBatchDto] })
  data!: FileBatchDto[];
  /** The id of the first batch of the page; null if it is empty. */
  @ApiProperty({ type: String, nullable: true, example: 'batch_68f0c1d2a3b4c5d6e7f80912' })
  first_id!: string | null;
  /** The id of the last batch of the page, for `after`; null if it is empty. */
  @ApiProperty({ type: String, nullable: true, example: 'batch_68f0c1d2a3b4c5d6e7f80912' })
  last_id!: string | null;
  /** Whether there are more. */
  @ApiProperty({ example: false })
  has_more!: boolean;
}
