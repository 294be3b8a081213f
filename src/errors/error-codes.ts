/**
 * Every code that the gateway itself gives, with its HTTP status. The type of a code, the metric label and the check of
 * docs/errors.md come from this list, so that a code which is missing here does not compile.
 */
export const ERROR_CODES = {
  array_above_max_length: 400,
  batch_expired: 504,
  batch_failed: 500,
  batch_tokens_exceeded: 429,
  client_closed_request: 499,
  configuration_read_only: 403,
  conflict: 409,
  content_filter: 400,
  context_length_exceeded: 400,
  cost_limit_reached: 402,
  csrf_token_invalid: 403,
  database_unavailable: 503,
  duplicate_custom_id: 400,
  duplicate_field: 400,
  empty_array: 400,
  headers_too_large: 431,
  insufficient_quota: 429,
  insufficient_scope: 403,
  internal_error: 500,
  invalid_api_key: 401,
  invalid_encoding: 400,
  invalid_http: 400,
  invalid_json: 400,
  invalid_multipart: 400,
  invalid_request: 400,
  invalid_type: 400,
  invalid_url: 400,
  invalid_value: 400,
  method_not_allowed: 405,
  missing_required_parameter: 400,
  model_not_allowed: 403,
  model_not_found: 404,
  model_unpriced: 403,
  not_found: 404,
  object_above_max_keys: 400,
  previous_response_not_found: 400,
  rate_limit_exceeded: 429,
  request_too_large: 413,
  request_timeout: 408,
  result_not_storable: 500,
  storage_full: 507,
  storage_unavailable: 503,
  string_above_max_length: 400,
  too_deeply_nested: 400,
  unknown_parameter: 400,
  unsupported_expectation: 417,
  unsupported_media_type: 415,
  unsupported_method: 501,
  unsupported_endpoint: 404,
  unsupported_parameter: 400,
  unsupported_transfer_encoding: 501,
  unsupported_value: 400,
  upgrade_required: 426,
  upstream_error: 502,
  upstream_timeout: 504,
  upstream_unavailable: 503,
  worker_lost: 500,
} as const;

/** A code that the gateway itself gives. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** A code that a provider gave and that is passed on: any short identifier. Made by `providerCode` alone. */
export type ProviderCode = string & { readonly givenBy: 'provider' };

/** Marks a provider's own code, which may be any identifier. */
export function providerCode(code: string): ErrorCode | ProviderCode {
  return code as ProviderCode;
}

/** The metric label of an error's code: `other` for a provider's own code, so that there are few labels; empty for none. */
export function codeLabel(error: { readonly code: string | null } | null): string {
  if (error === null) return '';
  return error.code !== null && Object.hasOwn(ERROR_CODES, error.code) ? error.code : 'other';
}
