import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, MoreThan, Repository, type FindOptionsWhere, type ObjectLiteral } from 'typeorm';
import { AuditLog } from '../../audit/audit-log.service.js';
import { ApiKey } from '../../auth/api-key.entity.js';
import { KeyGroup } from '../../auth/key-group.entity.js';
import { Pepper, PLAIN_SHA256 } from '../../auth/pepper.js';
import type { Principal } from '../../auth/principal.js';
import { permissionDenied } from '../../errors/gateway-error.js';
import { toUnixSeconds } from '../../http/unix-seconds.js';
import type { ExportKeysQueryDto, TransferredGroupDto, TransferredKeyDto } from './key-transfer.dto.js';
import { toBudgetDto } from './spending.dto.js';

/** Rows of one query. */
const ROWS_PER_PAGE = 500;
/** Target of the audit entry: an export is of all keys. */
const ALL_KEYS = 'all';

/** Writes all keys and groups in the form that an import takes. It never writes the secret of a key. */
@Injectable()
export class KeyExport {
  constructor(
    @InjectRepository(ApiKey) private readonly keys: Repository<ApiKey>,
    @InjectRepository(KeyGroup) private readonly groups: Repository<KeyGroup>,
    private readonly pepper: Pepper,
    private readonly audit: AuditLog,
  ) {}

  /**
   * The text of the export in pieces, each no larger than a page of keys.
   *
   * @throws GatewayError 403 where hashes are asked for by a key that is not an operator's
   */
  async *text({ hashes, revoked }: ExportKeysQueryDto, maker: Principal): AsyncGenerator<string> {
    const withHashes = hashes === 'true';
    const withRevoked = revoked === 'true';
    if (withHashes && maker.isOperator !== true) {
      throw permissionDenied(
        "'hashes' can be exported by GATEWAY_ADMIN_KEY, the key of the first start and the command line alone. Leave it out.",
        'insufficient_scope',
        'hashes',
      );
    }
    await this.audit.record({
      actor: maker.keyId,
      action: 'key.exported',
      targetId: ALL_KEYS,
      changes: { hashes: withHashes, revoked: withRevoked },
    });
    yield '{"object":"key_export","groups":[';
    let isFirst = true;
    for await (const page of pagesOf(this.groups, {})) {
      yield `${isFirst ? '' : ','}\n${page.map((group) => JSON.stringify(toGroup(group))).join(',\n')}`;
      isFirst = false;
    }
    yield '],"keys":[';
    isFirst = true;
    for await (const page of pagesOf(this.keys, withRevoked ? {} : { revokedAt: IsNull() })) {
      yield `${isFirst ? '' : ','}\n${page.map((key) => JSON.stringify(this.toKey(key, withHashes))).join(',\n')}`;
      isFirst = false;
    }
    yield ']}\n';
  }

  private toKey(key: ApiKey, withHash: boolean): TransferredKeyDto {
    return {
      id: key.id,
      name: key.name,
      ...(withHash && this.hashOf(key)),
      hint: key.hint,
      scopes: key.scopes,
      allowed_models: key.allowedModels,
      fallbacks: key.fallbacks,
      limits: key.limits,
      budget: toBudgetDto(key.budget),
      group_id: key.groupId,
      owner: key.owner,
      metadata: key.metadata as Record<string, unknown> | null,
      request_log: key.requestLog === null ? null : { days: key.requestLog.days, redact: [...key.requestLog.redact] },
      parent_id: key.parentId,
      created_by: key.createdBy,
      created_at: toUnixSeconds(key.createdAt),
      expires_at: toUnixSeconds(key.expiresAt),
      revoked_at: toUnixSeconds(key.revokedAt),
    };
  }

  private hashOf({ hash, hashScheme }: ApiKey): Pick<TransferredKeyDto, 'hash' | 'hash_type' | 'pepper'> {
    if (hashScheme === PLAIN_SHA256) return { hash, hash_type: 'sha256' };
    return { hash, hash_type: 'pepper', pepper: hashScheme ?? this.pepper.scheme };
  }
}

function toGroup({ id, name, limits, budget, fallbacks, metadata, createdAt }: KeyGroup): TransferredGroupDto {
  return {
    id,
    name,
    limits,
    budget: toBudgetDto(budget),
    fallbacks,
    metadata: metadata as Record<string, unknown> | null,
    created_at: toUnixSeconds(createdAt),
  };
}

/** All rows by id, so that rows that come and go meanwhile move no other. */
async function* pagesOf<Row extends ObjectLiteral & { id: string }>(
  repository: Repository<Row>,
  where: FindOptionsWhere<Row>,
): AsyncGenerator<Row[]> {
  for (let after = ''; ;) {
    const rows = await repository.find({
      where: { ...where, id: MoreThan(after) },
      order: { id: 'ASC' },
      take: ROWS_PER_PAGE,
    } as Parameters<Repository<Row>['find']>[0]);
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (rows.length < ROWS_PER_PAGE || last === undefined) return;
    after = last.id;
  }
}
