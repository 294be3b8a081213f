import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { EntityManager, Repository } from 'typeorm';
import { Database } from '../../database/database.js';
import { newestFirst } from '../../database/newest-first.js';
import { invalidRequest, notFound, permissionDenied } from '../../errors/gateway-error.js';
import { DEFAULT_PAGE_ENTRIES, type PageQueryDto } from '../../http/page-query.dto.js';
import { toUnixSeconds } from '../../http/unix-seconds.js';
import { generateKey, hintOf, publicPart } from '../../auth/api-key-format.js';
import { ApiKey } from '../../auth/api-key.entity.js';
import { ApiKeyAuthenticator } from '../../auth/api-key-authenticator.js';
import type { CreateKeyDto, KeyQueryDto, RotateKeyDto, UpdateKeyDto } from './key-request.dto.js';
import type { KeyDto, KeyListDto, KeyWithSecretDto, KeyWithUsageDto } from './key.dto.js';
import { containing } from '../../database/like.js';
import { BudgetStates } from '../../auth/budget-states.js';
import { toBudgetUsage } from './budget-usage.dto.js';
import { RequestLogSettings } from './request-log-settings.js';
import { assertActive, assertReach, foundKey } from './key-access.js';
import { KeyRevocations } from '../../auth/key-revocations.js';
import { ConsoleSessions } from '../../auth/sessions/console-sessions.service.js';
import { Pepper } from '../../auth/pepper.js';
import { AuditLog, changedOf, type AuditedAction } from '../../audit/audit-log.service.js';
import { assertGeneration, assertMayRevoke, assertMaySetFallbacks, assertWithinMaker } from './assert-within-maker.js';
import { KeyGroup } from '../../auth/key-group.entity.js';
import { toBudget, toBudgetDto, toRateLimits } from './spending.dto.js';
import type { Principal } from '../../auth/principal.js';

/** Creates, shows and revokes keys. A key never gets more rights than the one that creates or changes it. */
@Injectable()
export class KeysService {
  constructor(
    @InjectRepository(ApiKey) private readonly keys: Repository<ApiKey>,
    private readonly database: Database,
    private readonly keyCheck: ApiKeyAuthenticator,
    private readonly revocations: KeyRevocations,
    private readonly pepper: Pepper,
    private readonly audit: AuditLog,
    private readonly budgets: BudgetStates,
    private readonly requestLogs: RequestLogSettings,
    private readonly sessions: ConsoleSessions,
  ) {}

  async create(fields: CreateKeyDto, maker: Principal): Promise<KeyWithSecretDto> {
    const scopes = fields.scopes ?? ['inference'];
    const allowedModels = fields.allowed_models ?? null;
    const limits = toRateLimits(fields.limits);
    const budget = toBudget(fields.budget);
    const expiresAt = toMilliseconds(fields.expires_at);
    const { id, key } = generateKey();
    const sealed = this.pepper.hash(key);
    const row: ApiKey = {
      id,
      name: fields.name,
      hash: sealed.hash,
      hashScheme: sealed.scheme,
      hint: hintOf(key),
      previousHash: null,
      previousHashScheme: null,
      previousExpiresAt: null,
      scopes,
      allowedModels,
      fallbacks: fields.fallbacks ?? null,
      metadata: fields.metadata ?? null,
      groupId: fields.group_id ?? null,
      owner: ownerOf(fields.owner),
      limits,
      budget,
      budgetAdjustment: null,
      requestLog: this.requestLogs.of(fields),
      createdBy: maker.keyId,
      // GATEWAY_ADMIN_KEY and the command line have no row.
      parentId: maker.keyId.startsWith('key_') ? maker.keyId : null,
      createdAt: Date.now(),
      expiresAt,
      revokedAt: null,
    };
    assertWithinMaker(maker, row);
    if (row.fallbacks !== null) assertMaySetFallbacks(maker, row.fallbacks);
    assertGeneration(maker);
    await this.database.transaction(async (manager) => {
      await assertGroup(manager, row.groupId);
      await manager.insert(ApiKey, row);
      await this.audit.note(manager, { actor: maker.keyId, action: 'key.created', targetId: id, changes: fields });
    });
    return { ...toDto(row), key };
  }

  async list({
    limit = DEFAULT_PAGE_ENTRIES,
    after,
    name,
    group_id: groupId,
    owner,
    revoked,
  }: KeyQueryDto): Promise<KeyListDto> {
    const query = this.keys.createQueryBuilder('key');
    if (name !== undefined) {
      query.andWhere(`LOWER(key.name) LIKE :name ESCAPE '!'`, { name: containing(name) });
    }
    if (groupId !== undefined) query.andWhere('key.groupId = :groupId', { groupId });
    if (owner !== undefined) query.andWhere('key.owner = :owner', { owner: ownerOf(owner) });
    if (revoked !== undefined) query.andWhere(`key.revokedAt IS ${revoked === 'true' ? 'NOT' : ''} NULL`);
    const { rows, ...page } = await newestFirst(query, 'createdAt', { limit, after, what: 'key', idPrefix: 'key_' });
    return { object: 'list', data: await this.withUsage(rows), ...page };
  }

  /** The keys that a person owns. @throws GatewayError 404 for a key */
  async listOwn({ limit, after }: PageQueryDto, { role, name, keyId }: Principal): Promise<KeyListDto> {
    if (role === undefined) {
      throw notFound(`This request is one of a key (${keyId}), not of a person. Read the key with GET /v1/key.`);
    }
    return this.list({ owner: name, ...(limit !== undefined && { limit }), ...(after !== undefined && { after }) });
  }

  async find(id: string): Promise<KeyWithUsageDto> {
    const key = foundKey(await this.keys.findOneBy({ id }), id);
    const states = await this.budgets.of([key]);
    return { ...toDto(key), budget_usage: toBudgetUsage(states.get(id)) };
  }

  async update(id: string, fields: UpdateKeyDto, maker: Principal): Promise<KeyDto> {
    return this.change(id, { actor: maker.keyId, action: 'key.updated', changes: fields }, async (key, manager) => {
      assertActive(key);
      // Checked before the change as well, so that a key cannot be restricted first to gain access to it.
      await assertReach(manager, maker, key);
      if (fields.name !== undefined) key.name = fields.name;
      if (fields.scopes !== undefined) key.scopes = fields.scopes;
      if (fields.allowed_models !== undefined) key.allowedModels = fields.allowed_models;
      if (fields.fallbacks !== undefined) {
        assertMaySetFallbacks(maker, fields.fallbacks);
        key.fallbacks = fields.fallbacks;
      }
      if (fields.expires_at !== undefined) key.expiresAt = toMilliseconds(fields.expires_at);
      if (fields.metadata !== undefined) key.metadata = fields.metadata;
      if (fields.limits !== undefined) key.limits = toRateLimits(fields.limits);
      if (fields.budget !== undefined) key.budget = toBudget(fields.budget);
      if (fields.group_id !== undefined) {
        await assertGroup(manager, fields.group_id);
        key.groupId = fields.group_id;
      }
      if (fields.owner !== undefined) key.owner = ownerOf(fields.owner);
      if (fields.request_log !== undefined) key.requestLog = this.requestLogs.of(fields);
      if (fields.parent_id !== undefined) detach(key, maker);
      assertWithinMaker(maker, key);
      await assertReach(manager, maker, key);
    });
  }

  /** A new secret under the same id; the old one works until the overlap is over, but its sessions end. */
  async rotate(id: string, { overlap_seconds: asked }: RotateKeyDto, maker: Principal): Promise<KeyWithSecretDto> {
    const overlap = asked ?? 0;
    const { key: secret } = generateKey(publicPart(id));
    const action = { actor: maker.keyId, action: 'key.rotated', changes: { overlap_seconds: overlap } } as const;
    const rotated = await this.change(id, action, async (key, manager) => {
      assertActive(key);
      assertWithinMaker(maker, key);
      await assertReach(manager, maker, key);
      key.previousHash = overlap === 0 ? null : key.hash;
      key.previousHashScheme = overlap === 0 ? null : key.hashScheme;
      key.previousExpiresAt = overlap === 0 ? null : Date.now() + overlap * 1_000;
      const sealed = this.pepper.hash(secret);
      key.hash = sealed.hash;
      key.hashScheme = sealed.scheme;
      key.hint = hintOf(secret);
      await this.sessions.endAllOf(manager, id);
    });
    return { ...rotated, key: secret };
  }

  /** Revokes a key and the keys that it created, and aborts their calls in flight; repeating it changes nothing. */
  async revoke(id: string, maker: Principal): Promise<KeyDto> {
    const action = { actor: maker.keyId, action: 'key.revoked', changes: {} } as const;
    const revoked = await this.change(id, action, async (key, manager) => {
      await assertReach(manager, maker, key);
      assertMayRevoke(maker, key);
      key.revokedAt ??= Date.now();
      key.previousHash = null;
      key.previousHashScheme = null;
      key.previousExpiresAt = null;
      await this.sessions.endAllOf(manager, id);
    });
    await this.revocations.publish(id);
    return revoked;
  }

  private async withUsage(keys: readonly ApiKey[]): Promise<KeyWithUsageDto[]> {
    const states = await this.budgets.of(keys);
    return keys.map((key) => ({ ...toDto(key), budget_usage: toBudgetUsage(states.get(key.id)) }));
  }

  private async change(
    id: string,
    action: Omit<AuditedAction, 'targetId'>,
    apply: (key: ApiKey, manager: EntityManager) => void | Promise<void>,
  ): Promise<KeyDto> {
    const changed = await this.database.transaction(async (manager: EntityManager) => {
      const key = foundKey(
        await manager.findOne(ApiKey, {
          where: { id },
          ...(!this.database.isSqlite && { lock: { mode: 'pessimistic_write' as const } }),
        }),
        id,
      );
      const before = toDto(key);
      await apply(key, manager);
      await this.audit.note(manager, { ...action, targetId: id, before: changedOf(before, toDto(key)) });
      return manager.save(key);
    });
    await this.keyCheck.changed(id);
    return toDto(changed);
  }
}

/** As sign-ins name people: e-mail addresses in lower case. */
export function ownerOf(owner: string | null | undefined): string | null {
  if (owner == null) return null;
  return owner.includes('@') ? owner.trim().toLowerCase() : owner.trim();
}

/** Makes the key independent of the one that created it. */
function detach(key: ApiKey, maker: Principal): void {
  if (maker.isOperator !== true) {
    throw permissionDenied(
      "'parent_id' can be taken away by GATEWAY_ADMIN_KEY and by the key of the first start alone.",
      'insufficient_scope',
      'parent_id',
    );
  }
  key.parentId = null;
}

function toMilliseconds(seconds: number | null | undefined): number | null {
  if (seconds == null) return null;
  const milliseconds = seconds * 1_000;
  if (milliseconds <= Date.now()) {
    throw invalidRequest(
      "'expires_at' is in the past. Send a later time in Unix seconds, or null for never.",
      'expires_at',
    );
  }
  return milliseconds;
}

function toDto(key: ApiKey): KeyDto {
  return {
    id: key.id,
    object: 'api_key',
    name: key.name,
    hint: key.hint,
    scopes: key.scopes,
    allowed_models: key.allowedModels,
    fallbacks: key.fallbacks ?? 'any',
    metadata: key.metadata as Record<string, unknown> | null,
    request_log: key.requestLog === null ? null : { days: key.requestLog.days, redact: [...key.requestLog.redact] },
    created_by: key.createdBy,
    parent_id: key.parentId,
    created_at: toUnixSeconds(key.createdAt),
    expires_at: toUnixSeconds(key.expiresAt),
    revoked_at: toUnixSeconds(key.revokedAt),
    limits: key.limits,
    budget: toBudgetDto(key.budget),
    group_id: key.groupId,
    owner: key.owner,
    previous_key_expires_at: toUnixSeconds(key.previousExpiresAt),
  };
}

async function assertGroup(manager: EntityManager, groupId: string | null): Promise<void> {
  if (groupId === null || (await manager.existsBy(KeyGroup, { id: groupId }))) return;
  throw invalidRequest(
    `There is no group '${groupId}'. Make one with POST /v1/admin/groups, or leave group_id out.`,
    'group_id',
  );
}
