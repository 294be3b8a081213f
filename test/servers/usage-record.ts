import type { UsageRecord } from '../../src/usage/records/usage-record.entity.js';

/** A usage record of a call that succeeded. */
export function usageRecord(id: string): UsageRecord {
  return {
    id,
    createdAt: Date.now(),
    requestId: 'req_1',
    keyId: 'key_1',
    groupId: null,
    source: 'batch',
    requestedModel: 'sandbox/echo',
    model: 'sandbox/echo',
    provider: 'sandbox',
    upstreamModel: 'echo',
    isStream: false,
    status: 'succeeded',
    httpStatus: 200,
    errorCode: null,
    attempts: 1,
    promptTokens: 1,
    completionTokens: 1,
    totalTokens: 2,
    cachedTokens: 0,
    reasoningTokens: 0,
    isEstimated: false,
    costNanos: 0,
    costBasis: 'reported',
    firstByteMs: 1,
    durationMs: 1,
    endUser: null,
    metadata: null,
  };
}
