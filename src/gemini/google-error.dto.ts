import { ApiProperty } from '@nestjs/swagger';

/** google.rpc.Status. */
export class GoogleErrorDto {
  /** HTTP status. */
  @ApiProperty({ type: 'integer', example: 400 })
  code!: number;
  /**
   * The error, with the field and the fix.
   * @example "'contents[0].role' must be user or model."
   */
  message!: string;
  /**
   * The canonical code of google.rpc.
   * @example "INVALID_ARGUMENT"
   */
  status!: string;
  /** `ErrorInfo` with the gateway's own code, `BadRequest`, `RetryInfo` and `RequestInfo`. */
  @ApiProperty({ type: 'array', items: { type: 'object', additionalProperties: true } })
  details!: Record<string, unknown>[];
}

/** An error in Google's form. */
export class GoogleErrorBodyDto {
  /** The error. */
  error!: GoogleErrorDto;
}
