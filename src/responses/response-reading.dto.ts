import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';

/** How a response is read. */
export class ReadResponseQueryDto {
  /** `true` sends the events of a response in the background, those to come included. */
  @ApiProperty({ required: false, enum: ['true', 'false'], default: 'false' })
  @IsOptional()
  @IsIn(['true', 'false'])
  stream?: 'true' | 'false';

  /** With `stream=true`: the `sequence_number` of the last event that the client has. */
  @ApiProperty({ type: 'integer', required: false, minimum: 0 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  starting_after?: number;
}

/** Which items of an input. */
export class InputItemsQueryDto {
  /**
   * Most items, 1 to 100.
   * @example 20
   */
  @ApiProperty({ type: 'integer', required: false, default: 20, minimum: 1, maximum: 100, example: 20 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100)
  limit?: number;

  /** `desc` begins with the last item. */
  @ApiProperty({ required: false, enum: ['asc', 'desc'], default: 'desc' })
  @IsOptional()
  @IsIn(['asc', 'desc'])
  order?: 'asc' | 'desc';

  /** The id of the item after which the page begins. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(256)
  after?: string;
}
