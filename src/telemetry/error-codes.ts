/** The codes that this gateway gives. A provider's own codes pass through to clients, and there is no end of them. */
const KNOWN = new Set([
  'batch_expired',
  'batch_failed',
  'client_closed_request',
  'conflict',
  'content_filter',
  'context_length_exceeded',
  'database_unavailable',
  'insufficient_quota',
  'insufficient_scope',
  'internal_error',
  'duplicate_custom_id',
  'duplicate_field',
  'empty_array',
  'invalid_api_key',
  'invalid_encoding',
  'invalid_json',
  'invalid_request',
  'invalid_type',
  'invalid_url',
  'invalid_value',
  'missing_required_parameter',
  'model_not_allowed',
  'model_not_found',
  'not_found',
  'rate_limit_exceeded',
  'object_above_max_keys',
  'request_too_large',
  'unknown_parameter',
  'unsupported_media_type',
  'unsupported_parameter',
  'unsupported_value',
  'upstream_error',
  'upstream_timeout',
  'upstream_unavailable',
  'worker_lost',
]);

/** The label of an error's code: `other` for a code of a provider, so that their number stays small; empty for none. */
export function codeLabel(error: { readonly code: string | null } | null): string {
  if (error === null) return '';
  return error.code !== null && KNOWN.has(error.code) ? error.code : 'other';
}
