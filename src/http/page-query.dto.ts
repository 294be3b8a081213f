import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';

/** Entries of a page unless the query says otherwise. */
export const DEFAULT_PAGE_ENTRIES = 20;

/** Which page of a list. */
export class PageQueryDto {
  /**
   * Most entries, 1 to 100.
   * @example 20
   */
  @ApiProperty({
    type: 'integer',
    required: false,
    default: DEFAULT_PAGE_ENTRIES,
    minimum: 1,
    maximum: 100,
    example: 20,
  })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100)
  limit?: number;

  /** The end of the page before: its `next`, or the id of its last entry. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(64)
  after?: string;
}
