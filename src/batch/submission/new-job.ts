import { timeOrderedId } from '../../runtime/random-id.js';
import type { BatchApi, BatchJob } from '../batch-job.entity.js';
import { newOutput, type OutputObject } from '../output/job-output.js';

/** Seconds until unfinished tasks expire, where a submission does not say it. */
export const DEFAULT_EXPIRY_SECONDS = 86_400;
/** Bounds of that time. */
export const MIN_EXPIRY_SECONDS = 10;
export const MAX_EXPIRY_SECONDS = 30 * 86_400;

/** The beginning of the ids of each API's jobs; `null` is the gateway's own. */
const PREFIXES = { messages: 'msgbatch_', batches: 'batch_', own: 'batch_' } as const;

/** What a submission decides about its job. */
export type NewJob = Pick<BatchJob, 'model'> &
  Partial<
    Pick<
      BatchJob,
      | 'api'
      | 'endpoint'
      | 'defaults'
      | 'headers'
      | 'metadata'
      | 'pricing'
      | 'priority'
      | 'webhookUrl'
      | 'webhookSecret'
      | 'options'
      | 'heldUntil'
      | 'holdReason'
      | 'maxClaim'
    >
  > & {
    /** Seconds until unfinished tasks expire; by default a day. */
    readonly expiresInSeconds?: number;
    /** Where the results are written to; the name of the object may end with a slash. */
    readonly output?: OutputObject | undefined;
  };

/** What is known of every job that is stored. */
type KnownOfJob = Pick<BatchJob, 'keyId' | 'taskCount' | 'idempotencyKey' | 'requestHash'>;

/** A job that has not run yet, with a new id. */
export function newJob({
  expiresInSeconds = DEFAULT_EXPIRY_SECONDS,
  api = null,
  output,
  ...fields
}: NewJob & KnownOfJob): BatchJob {
  const now = Date.now();
  const id = newJobId(api, now);
  return {
    id,
    api,
    endpoint: null,
    defaults: {},
    headers: null,
    metadata: null,
    priority: 'normal',
    status: 'queued',
    completedCount: 0,
    failedCount: 0,
    cancelledCount: 0,
    expiredCount: 0,
    pricing: null,
    costNanos: 0,
    listCostNanos: 0,
    error: null,
    submittedAt: now,
    startedAt: null,
    completedAt: null,
    cancelRequestedAt: null,
    pausedAt: null,
    pauseSource: null,
    options: null,
    heldUntil: null,
    holdReason: null,
    spentNanos: 0,
    costRefusedCount: 0,
    maxClaim: null,
    output: output === undefined ? null : newOutput(output, id),
    expiresAt: now + expiresInSeconds * 1_000,
    webhookUrl: null,
    webhookSecret: null,
    webhookAttempts: 0,
    webhookDueAt: null,
    ...fields,
  };
}

/** An id of a job, by the form of its API. */
function newJobId(api: BatchApi | null, now: number): string {
  // Clients page by ids, whose places must be known after a deletion as well.
  return timeOrderedId(PREFIXES[api ?? 'own'], now);
}
