import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository, type SelectQueryBuilder } from 'typeorm';
import { AuditLog } from '../audit/audit-log.service.js';
import type { Principal } from '../auth/principal.js';
import { Database } from '../database/database.js';
import { deleteInSteps } from '../database/delete-in-steps.js';
import { newestFirst } from '../database/newest-first.js';
import { conflict, type GatewayError, invalidRequest, notFound } from '../errors/gateway-error.js';
import { DEFAULT_PAGE_ENTRIES } from '../http/page-query.dto.js';
import { toUnixSeconds } from '../http/unix-seconds.js';
import { ContentCipher } from './content-cipher.js';
import { RequestLogEntry } from './request-log.entity.js';
import type {
  DeleteRequestLogQueryDto,
  DeletedRequestLogDto,
  RequestLogContentDto,
  RequestLogEntryDto,
  RequestLogListDto,
  RequestLogQueryDto,
} from './request-log.dto.js';

const decompress = promisify(gunzip);

/** Reads and deletes entries. */
@Injectable()
export class RequestLogService {
  constructor(
    @InjectRepository(RequestLogEntry) private readonly entries: Repository<RequestLogEntry>,
    private readonly cipher: ContentCipher,
    private readonly database: Database,
    private readonly audit: AuditLog,
  ) {}

  /** Entries without their content, newest first. */
  async list({ limit = DEFAULT_PAGE_ENTRIES, after, ...filter }: RequestLogQueryDto): Promise<RequestLogListDto> {
    const query = this.entries.createQueryBuilder('entry').where('entry.expiresAt > :now', { now: Date.now() });
    narrow(query, filter);
    const { rows, ...page } = await newestFirst(query, 'createdAt', {
      limit,
      after,
      what: 'entry',
      idPrefix: 'rlog_',
    });
    return { object: 'list', data: rows.map(toDto), ...page };
  }

  /**
   * One entry with its content. The read is written to the audit log before the content is returned.
   *
   * @throws GatewayError 409 when the encryption key of the entry is not configured here
   */
  async find(id: string, { keyId: actor }: Principal): Promise<RequestLogContentDto> {
    const entry = await this.entries.findOneBy({ id });
    if (entry === null || entry.expiresAt <= Date.now()) throw unknown(id);
    const packed = this.cipher.open(entry, id);
    if (packed === undefined) throw unreadable(entry);
    const {
      request,
      answer: response,
      usage,
      error,
      dropped_params = [],
    } = JSON.parse((await decompress(packed)).toString()) as Pick<
      RequestLogContentDto,
      'request' | 'answer' | 'usage' | 'error'
    > &
      // Entries of earlier versions do not have it.
      Partial<Pick<RequestLogContentDto, 'dropped_params'>>;
    const changes = { key_id: entry.keyId, request_id: entry.requestId };
    await this.audit.record({ actor, action: 'request_log.read', targetId: id, changes });
    return { ...toDto(entry), request, answer: response, usage, error, dropped_params };
  }

  async delete(id: string, { keyId: actor }: Principal): Promise<DeletedRequestLogDto> {
    await this.database.transaction(async (manager) => {
      const entry = await manager.findOne(RequestLogEntry, { where: { id }, select: { id: true, keyId: true } });
      const { affected } = await manager.delete(RequestLogEntry, { id });
      if (entry === null || affected === 0) throw unknown(id);
      const changes = { key_id: entry.keyId };
      await this.audit.note(manager, { actor, action: 'request_log.deleted', targetId: id, changes });
    });
    return { object: 'request_log.deleted', deleted: 1 };
  }

  /** All entries of one key, for example for a deletion request. The audit entry is written before the first deletion. */
  async deleteOfKey(
    { key_id: keyId }: DeleteRequestLogQueryDto,
    { keyId: actor }: Principal,
  ): Promise<DeletedRequestLogDto> {
    await this.audit.record({ actor, action: 'request_log.deleted', targetId: keyId, changes: { key_id: keyId } });
    return { object: 'request_log.deleted', deleted: await this.deleteWhere('key_id = $1', keyId) };
  }

  async deleteExpired(): Promise<number> {
    return this.deleteWhere('expires_at <= $1', Date.now());
  }

  private deleteWhere(condition: string, parameter: unknown): Promise<number> {
    return deleteInSteps(this.database, { table: 'request_log', condition, parameters: [parameter] });
  }
}

function narrow(
  query: SelectQueryBuilder<RequestLogEntry>,
  {
    request_id: requestId,
    key_id: keyId,
    session_id: sessionId,
    operation,
    model,
    status,
    start,
    end,
  }: Omit<RequestLogQueryDto, 'limit' | 'after'>,
): void {
  if (start !== undefined && end !== undefined && start >= end) {
    throw invalidRequest("'start' must be before 'end'. Both are Unix seconds.", 'start');
  }
  if (requestId !== undefined) query.andWhere('entry.requestId = :requestId', { requestId });
  if (keyId !== undefined) query.andWhere('entry.keyId = :keyId', { keyId });
  if (sessionId !== undefined) query.andWhere('entry.sessionId = :sessionId', { sessionId });
  if (operation !== undefined) query.andWhere('entry.operation = :operation', { operation });
  if (model !== undefined) query.andWhere('entry.model = :model', { model });
  if (status !== undefined) query.andWhere('entry.status = :status', { status });
  if (start !== undefined) query.andWhere('entry.createdAt >= :start', { start: start * 1_000 });
  if (end !== undefined) query.andWhere('entry.createdAt < :end', { end: end * 1_000 });
}

function unknown(id: string): GatewayError {
  return notFound(`There is no entry '${id.slice(0, 64)}' in the request log, or it has expired.`);
}

function unreadable({ encryptionKey }: RequestLogEntry): GatewayError {
  return conflict(
    `The entry was encrypted with the key ${encryptionKey}, which this process does not have, or it was changed. Add the key to GATEWAY_REQUEST_LOG_PREVIOUS_KEYS.`,
  );
}

function toDto(entry: RequestLogEntry): RequestLogEntryDto {
  return {
    id: entry.id,
    object: 'request_log.entry',
    request_id: entry.requestId,
    key_id: entry.keyId,
    operation: entry.operation,
    model: entry.model,
    provider: entry.provider,
    status: entry.status,
    error_code: entry.errorCode,
    session_id: entry.sessionId,
    agent_id: entry.agentId,
    encryption_key: entry.encryptionKey,
    created_at: toUnixSeconds(entry.createdAt),
    expires_at: toUnixSeconds(entry.expiresAt),
  };
}
