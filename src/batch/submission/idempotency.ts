import { conflict, invalidRequest } from '../../errors/gateway-error.js';
import type { BatchJob } from '../batch-job.entity.js';

/** How long a key names one submission. */
export const IDEMPOTENCY_WINDOW_MS = 24 * 3_600_000;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/** @throws GatewayError 400 for what is no idempotency key */
export function checkedIdempotencyKey(value: string | undefined): string | undefined {
  if (value === undefined || IDEMPOTENCY_KEY.test(value)) return value;
  throw invalidRequest("The header 'Idempotency-Key' must be 1 to 255 visible ASCII characters.", 'Idempotency-Key');
}

/** The job of an earlier submission with the same key. @throws GatewayError 409 where its body was another */
export function sameOr409(job: BatchJob, hash: string | null): BatchJob {
  if (job.requestHash === hash) return job;
  throw conflict(
    'This Idempotency-Key was used within 24 hours with another body. Use a new key for a new batch.',
    'Idempotency-Key',
  );
}
