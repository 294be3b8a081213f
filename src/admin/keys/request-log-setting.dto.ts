import { ApiProperty } from '@nestjs/swagger';
import { ArrayUnique, IsArray, IsIn, IsInt, IsOptional, Max, Min } from 'class-validator';
import { REDACTIONS, type Redaction } from '../../runtime/redaction.js';

/** Which prompts and responses of the key are stored, encrypted, for administrators to read. */
export class RequestLogSettingDto {
  /**
   * Days that an entry is kept, 1 to 365.
   * @example 30
   */
  @ApiProperty({ type: 'integer', minimum: 1, maximum: 365, example: 30 })
  @IsInt()
  @Min(1)
  @Max(365)
  days!: number;

  /** The data to remove before an entry is stored: whole parts (`prompt`, `answer`, `files`) or matches of patterns. */
  @ApiProperty({
    enum: REDACTIONS,
    enumName: 'Redaction',
    isArray: true,
    required: false,
    default: [],
    example: ['email', 'card'],
  })
  @IsOptional()
  @IsArray()
  @ArrayUnique()
  @IsIn(REDACTIONS, { each: true })
  redact?: Redaction[];
}
