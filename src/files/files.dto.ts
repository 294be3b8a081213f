import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';

/** The purposes for which files are uploaded, as OpenAI's clients name them. The gateway reads files of `batch`, and keeps others. */
export const PURPOSES = ['assistants', 'batch', 'fine-tune', 'vision', 'user_data', 'evals'] as const;
export type Purpose = (typeof PURPOSES)[number];
const ORDERS = ['asc', 'desc'] as const;

/** The form of an upload. */
export class UploadFileDto {
  /** The file. */
  @ApiProperty({ type: 'string', format: 'binary', minLength: 1 })
  file!: unknown;
  /** The purpose of the file. */
  @ApiProperty({ enum: PURPOSES, example: 'batch' })
  purpose!: Purpose;
  /** Always `created_at`, with `expires_after[seconds]`. */
  @ApiProperty({ name: 'expires_after[anchor]', required: false, enum: ['created_at'], example: 'created_at' })
  anchor?: 'created_at';
  /** Seconds until the file is deleted: 3,600 to 2,592,000. Without it the file stays until it is deleted. */
  @ApiProperty({
    name: 'expires_after[seconds]',
    type: 'integer',
    required: false,
    minimum: 3_600,
    maximum: 2_592_000,
    example: 86_400,
  })
  seconds?: number;
}

/** A file. */
export class FileDto {
  /**
   * The id of the file.
   * @example "file-68f0c1d2a3b4c5d6e7f80912"
   */
  id!: string;
  /** Always `file`. */
  @ApiProperty({ enum: ['file'], example: 'file' })
  object!: 'file';
  /** Bytes of the content. */
  @ApiProperty({ type: 'integer', example: 2048 })
  bytes!: number;
  /** The Unix timestamp (in seconds) of the upload. */
  @ApiProperty({ type: 'integer', example: 1767225600 })
  created_at!: number;
  /** The Unix timestamp (in seconds) at which the file is deleted; null if it stays. */
  @ApiProperty({ type: 'integer', nullable: true, example: null })
  expires_at!: number | null;
  /** The name that the client gave. */
  @ApiProperty({ example: 'requests.jsonl' })
  filename!: string;
  /** The purpose of the file. */
  @ApiProperty({ example: 'batch' })
  purpose!: string;
  /** `processed`; `uploaded` for the results of a batch that has not ended, whose `bytes` are 0 until then. */
  @ApiProperty({ enum: ['uploaded', 'processed'], example: 'processed' })
  status!: 'uploaded' | 'processed';
}

/** A page of files. */
export class FileListDto {
  /** Always `list`. */
  @ApiProperty({ enum: ['list'], example: 'list' })
  object!: 'list';
  /** The files of this page. */
  @ApiProperty({ type: [FileDto] })
  data!: FileDto[];
  /** Whether there are more. */
  @ApiProperty({ example: false })
  has_more!: boolean;
  /** The id of the first file of the page; null if it is empty. */
  @ApiProperty({ type: String, nullable: true, example: 'file-68f0c1d2a3b4c5d6e7f80912' })
  first_id!: string | null;
  /** The id of the last file of the page, for `after`; null if it is empty. */
  @ApiProperty({ type: String, nullable: true, example: 'file-68f0c1d2a3b4c5d6e7f80912' })
  last_id!: string | null;
}

/** A file that was deleted. */
export class DeletedFileDto {
  /**
   * The id of the file.
   * @example "file-68f0c1d2a3b4c5d6e7f80912"
   */
  id!: string;
  /** Always `file`. */
  @ApiProperty({ enum: ['file'], example: 'file' })
  object!: 'file';
  /** Always true. */
  @ApiProperty({ example: true })
  deleted!: boolean;
}

/** Which files to list. */
export class FilePageDto {
  /** Most files, 1 to 10000. */
  @ApiProperty({ type: 'integer', required: false, default: 10_000, minimum: 1, maximum: 10_000, example: 100 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(10_000)
  limit?: number;

  /** The `last_id` of the page before. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(64)
  after?: string;

  /** By the time of the upload: `desc`, newest first, or `asc`. */
  @ApiProperty({ required: false, enum: ORDERS, default: 'desc' })
  @IsOptional()
  @IsIn(ORDERS)
  order?: (typeof ORDERS)[number];

  /** Files of this purpose alone. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(32)
  purpose?: string;
}
