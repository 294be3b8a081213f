/** The inner object of every error. */
export class ErrorDetailDto {
  /**
   * The error, and how to fix it.
   * @example "'temperature' must be a number from 0 to 2."
   */
  message!: string;
  /**
   * The class of the error: `invalid_request_error`, `authentication_error`, `permission_error`, `rate_limit_error`,
   * `insufficient_quota` or `server_error`. An upstream's own type is kept when the upstream refused the request.
   * @example "invalid_request_error"
   */
  type!: string;
  /**
   * The path of the field to blame, `messages[2].content`; null if there is none.
   * @example "temperature"
   */
  param!: string | null;
  /**
   * A stable name that programs can branch on; null when an upstream gave none.
   * @example "invalid_value"
   */
  code!: string | null;
}

/** The body of every error of every route. */
export class ErrorBodyDto {
  error!: ErrorDetailDto;
}
