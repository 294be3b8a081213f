import { conflict, type GatewayError } from '../errors/gateway-error.js';
import type { BatchJob } from './batch-job.entity.js';

/** 409: the job is in a state that excludes the change. */
export function jobConflict(message: string): GatewayError {
  return conflict(message, 'job_id');
}

/** @param what the change, as the end of a sentence. @throws GatewayError 409 for a job that has ended or is being cancelled */
export function assertUnfinished({ status }: BatchJob, what: string): void {
  if (status === 'queued' || status === 'in_progress') return;
  throw jobConflict(`This batch is ${status}. Only a batch that is queued or in_progress can be ${what}.`);
}
