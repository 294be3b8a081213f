import { isoSeconds } from '../../http/query-time.js';
import { toUnixSeconds } from '../../http/unix-seconds.js';
import type { UsageRecord } from '../records/usage-record.entity.js';
import type { Dimension } from './dimensions.js';
import { compareBytes, type PlacedRow } from './sums-place.js';
import type { UsageOrder } from './usage-query.dto.js';
import type { UsageRecordDto } from './usage-record.dto.js';
import type { UsageRowDto } from './usage-row.dto.js';

const SUMS = [
  'records',
  'requests',
  'failed',
  'prompt',
  'completion',
  'total',
  'cached',
  'written',
  'images',
  'seconds',
  'characters',
  'searches',
  'web_searches',
  'nanos',
  'unpriced',
  'estimated',
] as const;

/** Aliases of the dimensions in a row. */
export const GROUPS = ['grp0', 'grp1', 'grp2'] as const;

/** Sums are null where there is nothing to sum. */
export type SumRow = Record<(typeof SUMS)[number], string | number | null> & { bucket: string | number } & Partial<
    Record<(typeof GROUPS)[number], string | null>
  >;

/** What sets the place of a row among others. */
export type PlacedSum = Pick<SumRow, 'bucket' | 'nanos' | (typeof GROUPS)[number]>;

/** Groups as a key of a map. */
export function groupsKey(row: PlacedSum): string {
  return JSON.stringify([row.bucket, row.grp0, row.grp1, row.grp2]);
}

/** The sums of two times. */
export function addedUp(one: SumRow, other: SumRow): SumRow {
  const sum = { ...one };
  for (const name of SUMS) sum[name] = Number(one[name]) + Number(other[name]);
  return sum;
}

/**
 * Compares two rows as the database does: the latest first, then, by cost, the highest cost, then by the bytes of the dimensions, null
 * before all others.
 */
export function compareRows(one: PlacedSum, other: PlacedSum, order: UsageOrder): number {
  if (one.bucket !== other.bucket) return Number(other.bucket) - Number(one.bucket);
  const difference = order === 'cost' ? Number(other.nanos) - Number(one.nanos) : 0;
  if (difference !== 0) return difference;
  for (const alias of GROUPS) {
    const [first, second] = [one[alias] ?? null, other[alias] ?? null];
    if (first === second) continue;
    if (first === null || second === null) return Number(second === null) - Number(first === null);
    return compareBytes(first, second);
  }
  return 0;
}

/** The place of a row in the list of sums. */
export function placedRow(row: PlacedSum, dimensions: readonly Dimension[], order: UsageOrder): PlacedRow {
  return {
    bucket: Number(row.bucket),
    nanos: order === 'cost' ? Number(row.nanos) : undefined,
    groups: dimensions.map((_, index) => row[GROUPS[index] ?? 'grp0'] ?? null),
  };
}

/** Sums as they are shown. */
export function toRow(row: SumRow, dimensions: readonly Dimension[], names: ReadonlyMap<string, string>): UsageRowDto {
  const bucket = toUnixSeconds(Number(row.bucket));
  const group = row.grp0 ?? null;
  return {
    bucket,
    date: isoSeconds(bucket),
    group,
    group_name: group === null ? null : (names.get(group) ?? null),
    groups: Object.fromEntries(dimensions.map(({ name }, index) => [name, row[GROUPS[index] ?? 'grp0'] ?? null])),
    requests: Number(row.requests),
    failed_requests: Number(row.failed),
    prompt_tokens: Number(row.prompt),
    completion_tokens: Number(row.completion),
    total_tokens: Number(row.total),
    cached_tokens: Number(row.cached),
    cache_write_tokens: Number(row.written),
    images: Number(row.images),
    audio_seconds: Number(row.seconds),
    characters: Number(row.characters),
    search_units: Number(row.searches),
    web_searches: Number(row.web_searches),
    cost_usd: Number(row.nanos) / 1e9,
    unpriced_requests: Number(row.unpriced),
    estimated_requests: Number(row.estimated),
  };
}

/** A record as it is shown. */
export function toRecordDto(record: UsageRecord): UsageRecordDto {
  return {
    id: record.id,
    object: 'usage_record',
    created_at: toUnixSeconds(record.createdAt),
    request_id: record.requestId,
    key_id: record.keyId,
    group_id: record.groupId,
    operation: record.operation,
    wire_format: record.wireFormat,
    source: record.source,
    requested_model: record.requestedModel,
    model: record.model,
    provider: record.provider,
    upstream_model: record.upstreamModel,
    stream: record.isStream,
    status: record.status,
    http_status: record.httpStatus,
    error_code: record.errorCode,
    attempts: record.attempts,
    prompt_tokens: record.promptTokens,
    completion_tokens: record.completionTokens,
    total_tokens: record.totalTokens,
    cached_tokens: record.cachedTokens,
    cache_write_tokens: record.cacheWriteTokens,
    cache_write_1h_tokens: record.cacheWrite1hTokens,
    reasoning_tokens: record.reasoningTokens,
    images: record.images,
    audio_seconds: record.audioSeconds,
    characters: record.characters,
    search_units: record.searchUnits,
    web_searches: record.webSearches,
    service_tier: record.serviceTier,
    estimated: record.isEstimated,
    cost_basis: record.costBasis ?? (record.isEstimated ? 'estimated' : 'reported'),
    cost_usd: record.costNanos === null ? null : record.costNanos / 1e9,
    first_byte_ms: record.firstByteMs,
    duration_ms: record.durationMs,
    user: record.endUser,
    session_id: record.sessionId,
    agent_id: record.agentId,
    metadata: record.metadata as Record<string, unknown> | null,
  };
}
