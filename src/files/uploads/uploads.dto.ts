import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { FileExpiryDto } from '../file-expiry.dto.js';
import { FileDto, PURPOSES, type Purpose } from '../files.dto.js';
import { UPLOAD_STATUSES, type UploadStatus } from './file-upload.entity.js';

const MAX_PARTS = 10_000;

/** A file to upload in parts. */
export class CreateUploadDto {
  /** The name of the file. */
  @ApiProperty({ example: 'requests.jsonl' })
  @IsString()
  @IsNotEmpty()
  @MaxLength(512)
  filename!: string;

  /** The purpose of the file. */
  @ApiProperty({ enum: PURPOSES, example: 'batch' })
  @IsIn(PURPOSES)
  purpose!: Purpose;

  /** Bytes of the whole file: those of all parts together. */
  @ApiProperty({ type: 'integer', minimum: 0, example: 2_048 })
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  bytes!: number;

  /** The media type of the file. It is not kept. */
  @ApiProperty({ example: 'text/jsonl' })
  @IsString()
  @MaxLength(256)
  mime_type!: string;

  /** When the file is deleted; without it the file stays until it is deleted. */
  @ApiProperty({ type: FileExpiryDto, required: false, nullable: true, example: null })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => FileExpiryDto)
  expires_after?: FileExpiryDto | null;
}

/** The form of a part. */
export class AddUploadPartDto {
  /** Bytes of the file: at most 64 MB. */
  @ApiProperty({ type: 'string', format: 'binary', minLength: 1 })
  data!: unknown;
}

/** The parts of a file in their order. */
export class CompleteUploadDto {
  /** The ids of the parts, in the order of their bytes. */
  @ApiProperty({ type: [String], minItems: 1, maxItems: MAX_PARTS, example: ['part_68f0c1d2a3b4c5d6e7f80912'] })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_PARTS)
  @IsString({ each: true })
  part_ids!: string[];

  /** The MD5 of the whole file in hex, which is compared with what arrived. */
  @ApiProperty({ type: String, required: false, nullable: true, example: null })
  @IsOptional()
  @IsString()
  @Matches(/^[\da-fA-F]{32}$/, { message: '$property must be 32 digits of hex.' })
  md5?: string | null;
}

/** An upload in parts. */
export class UploadDto {
  /**
   * The id of the upload.
   * @example "upload_68f0c1d2a3b4c5d6e7f80912"
   */
  id!: string;
  /** Always `upload`. */
  @ApiProperty({ enum: ['upload'], example: 'upload' })
  object!: 'upload';
  /** Bytes of the whole file. */
  @ApiProperty({ type: 'integer', example: 2_048 })
  bytes!: number;
  /** The Unix timestamp (in seconds) of its creation. */
  @ApiProperty({ type: 'integer', example: 1767225600 })
  created_at!: number;
  /** The Unix timestamp (in seconds) at which it expires: an hour after its creation. */
  @ApiProperty({ type: 'integer', example: 1767229200 })
  expires_at!: number;
  /** The name of the file. */
  @ApiProperty({ example: 'requests.jsonl' })
  filename!: string;
  /** The purpose of the file. */
  @ApiProperty({ example: 'batch' })
  purpose!: string;
  /** `pending` while parts may be added. */
  @ApiProperty({ enum: UPLOAD_STATUSES, enumName: 'UploadStatus', example: 'pending' })
  status!: UploadStatus;
  /** The file that the parts became; null before. */
  @ApiProperty({ type: FileDto, nullable: true, example: null })
  file!: FileDto | null;
}

/** A part of an upload. */
export class UploadPartDto {
  /**
   * The id of the part.
   * @example "part_68f0c1d2a3b4c5d6e7f80912"
   */
  id!: string;
  /** Always `upload.part`. */
  @ApiProperty({ enum: ['upload.part'], example: 'upload.part' })
  object!: 'upload.part';
  /** The Unix timestamp (in seconds) at which it arrived. */
  @ApiProperty({ type: 'integer', example: 1767225600 })
  created_at!: number;
  /** The upload that it is of. */
  @ApiProperty({ example: 'upload_68f0c1d2a3b4c5d6e7f80912' })
  upload_id!: string;
}
