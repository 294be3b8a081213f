import type { Repository, SelectQueryBuilder } from 'typeorm';
import type { TimeSpan } from '../../database/time-slices.js';
import { invalidRequest } from '../../errors/gateway-error.js';
import type { UsageRecord } from '../records/usage-record.entity.js';
import { metadataMember } from './dimensions.js';
import type { UsageFilterDto, UsageQueryDto } from './usage-query.dto.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DEFAULT_SPAN_MS = 30 * DAY_MS;

/** Whose records: of one key, or of all keys with an owner. */
export interface OwnedBy {
  readonly key_id?: string;
  /** `owner` of keys. It is no parameter of a request. */
  readonly owner?: string;
  /** Only of these keys. It is no parameter of a request. */
  readonly keys?: readonly string[];
}

/** The records of a time that meet the conditions, as `record`. @param span undefined where the reader adds the time itself */
export function filteredRecords(
  records: Repository<UsageRecord>,
  filter: UsageFilterDto & OwnedBy,
  span: TimeSpan | undefined,
  isSqlite: boolean,
): SelectQueryBuilder<UsageRecord> {
  const { key_id: keyId, group_id: groupId, operation, model, provider, user, metadata } = filter;
  const { session_id: sessionId, agent_id: agentId, wire_format: wireFormat, service_tier: serviceTier } = filter;
  const { request_id: requestId, status, owner, keys } = filter;
  const query = records.createQueryBuilder('record');
  if (span !== undefined) query.where('record.createdAt >= :start AND record.createdAt < :end', span);
  if (keyId !== undefined) query.andWhere('record.keyId = :keyId', { keyId });
  if (owner !== undefined) {
    query.andWhere('record.keyId IN (SELECT id FROM api_key WHERE owner = :owner)', { owner });
  }
  if (keys !== undefined) query.andWhere('record.keyId IN (:...keys)', { keys });
  if (groupId !== undefined) query.andWhere('record.groupId = :groupId', { groupId });
  if (operation !== undefined) query.andWhere('record.operation = :operation', { operation });
  if (model !== undefined) query.andWhere('record.model = :model', { model });
  if (provider !== undefined) query.andWhere('record.provider = :provider', { provider });
  if (user !== undefined) query.andWhere('record.endUser = :user', { user });
  if (sessionId !== undefined) query.andWhere('record.sessionId = :sessionId', { sessionId });
  if (agentId !== undefined) query.andWhere('record.agentId = :agentId', { agentId });
  if (wireFormat !== undefined) query.andWhere('record.wireFormat = :wireFormat', { wireFormat });
  if (serviceTier !== undefined) query.andWhere('record.serviceTier = :serviceTier', { serviceTier });
  if (requestId !== undefined) query.andWhere('record.requestId = :requestId', { requestId });
  if (status !== undefined) query.andWhere('record.status = :status', { status });
  if (metadata !== undefined) {
    const colon = metadata.indexOf(':');
    const member = metadataMember(metadata.slice(0, colon), isSqlite);
    query.andWhere(`${member} = :member`, { member: metadata.slice(colon + 1) });
  }
  return query;
}

/** The time of a report, in epoch milliseconds. @throws GatewayError 400 where it is empty */
export function spanOf({ start, end }: UsageFilterDto): TimeSpan {
  // Includes the current millisecond.
  const until = end === undefined ? Date.now() + 1 : end * 1_000;
  const from = start === undefined ? until - DEFAULT_SPAN_MS : start * 1_000;
  if (from >= until) throw invalidRequest("'start' must be before 'end'. Both are Unix seconds or dates.", 'start');
  return { start: from, end: until };
}

/** The beginning of a record's bucket. */
export function bucketOf({ interval = 'day' }: Pick<UsageQueryDto, 'interval'>): string {
  // No parameter but for the only bucket: PostgreSQL must see that it is the same expression everywhere.
  return interval === 'none'
    ? 'CAST(:from AS BIGINT)'
    : `(record.createdAt - record.createdAt % ${lengthOf(interval)})`;
}

/** Length of a bucket in milliseconds. */
export function lengthOf(interval: 'hour' | 'day'): number {
  return interval === 'hour' ? HOUR_MS : DAY_MS;
}
