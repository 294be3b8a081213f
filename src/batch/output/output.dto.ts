import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsObject, IsOptional, IsString, Matches, MaxLength, ValidateNested } from 'class-validator';
import { OUTPUT_STATES, type OutputState } from './job-output.js';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** Names that need no encoding in a URL, of which no part is `.` or `..`. */
const KEY = /^(?!(?:.*\/)?\.{1,2}(?:\/|$))(?:[\w.=-]+\/)*[\w.=-]*$/;

/** An object in a bucket of S3. */
export class S3ObjectDto {
  /**
   * A bucket that the operator has allowed with the setting `batch.output_buckets`.
   * @example "batch-results"
   */
  @IsString()
  @Matches(BUCKET, { message: '$property must be the name of a bucket' })
  bucket!: string;

  /**
   * The name of the object: letters, digits, `.`, `_`, `-`, `=` and slashes, beginning with the prefix that the operator has allowed. At
   * the end of a name with a slash at its end, the id of the job and `.jsonl` are added. Default: the allowed prefix, the id of the job
   * and `.jsonl`. An object of this name is replaced.
   */
  @ApiProperty({ type: String, required: false, nullable: true, example: 'results/2026-11-28/greetings.jsonl' })
  @IsOptional()
  @IsString()
  @MaxLength(900)
  @Matches(KEY, {
    message: "$property must be names of letters, digits, '.', '_', '-' and '=' with slashes between them",
  })
  key?: string | null;
}

/** Where the results are written to when the job has ended. */
export class BatchOutputDto {
  /** An object in a bucket of S3, or of a server with its API. */
  @ApiProperty({ type: S3ObjectDto })
  @IsObject()
  @ValidateNested()
  @Type(() => S3ObjectDto)
  s3!: S3ObjectDto;
}

/** The object that the results of a job are written to. */
export class WrittenObjectDto {
  /** The bucket. */
  @ApiProperty({ example: 'batch-results' })
  bucket!: string;
  /** The name of the object. */
  @ApiProperty({ example: 'results/2026-11-28/greetings.jsonl' })
  key!: string;
}

/** What has become of the results that are written to a bucket. */
export class JobOutputDto {
  /** Where they are written to. */
  @ApiProperty({ type: WrittenObjectDto })
  s3!: WrittenObjectDto;
  /**
   * `waiting`: the job runs, or no process has begun. `writing`: they are being written, or an attempt failed and is repeated; see
   * `error`. `written`: the object is there, complete. `failed`: it was abandoned after 24 hours.
   */
  @ApiProperty({ enum: OUTPUT_STATES, enumName: 'BatchOutputState', example: 'written' })
  state!: OutputState;
  /** Bytes written so far. The object is visible only when it is complete. */
  @ApiProperty({ type: 'integer', example: 482 })
  bytes!: number;
  /** Why the last attempt failed. */
  @ApiProperty({ type: String, nullable: true, example: null })
  error!: string | null;
}
