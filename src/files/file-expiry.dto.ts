import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsInt, Max, Min } from 'class-validator';

/** Bounds of the seconds after which a file is deleted. */
export const MIN_FILE_EXPIRY_SECONDS = 3_600;
export const MAX_FILE_EXPIRY_SECONDS = 2_592_000;

/** When a file is deleted. */
export class FileExpiryDto {
  /** The time from which the seconds count: that of the file. */
  @ApiProperty({ enum: ['created_at'], example: 'created_at' })
  @IsIn(['created_at'])
  anchor!: 'created_at';

  /** Seconds after which the file is deleted, 3,600 to 2,592,000. */
  @ApiProperty({
    type: 'integer',
    minimum: MIN_FILE_EXPIRY_SECONDS,
    maximum: MAX_FILE_EXPIRY_SECONDS,
    example: 86_400,
  })
  @IsInt()
  @Min(MIN_FILE_EXPIRY_SECONDS)
  @Max(MAX_FILE_EXPIRY_SECONDS)
  seconds!: number;
}
