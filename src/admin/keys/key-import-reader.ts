import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { generateKey, hintOf, parseKey } from '../../auth/api-key-format.js';
import type { ApiKey } from '../../auth/api-key.entity.js';
import type { KeyGroup } from '../../auth/key-group.entity.js';
import { Pepper, PLAIN_SHA256, type KeyHash } from '../../auth/pepper.js';
import type { Principal } from '../../auth/principal.js';
import { secretFault } from '../../config/weak-secret.js';
import { GatewayError, invalidRequest, permissionDenied } from '../../errors/gateway-error.js';
import { toInstance } from '../../http/to-instance.js';
import { assertGeneration, assertWithinMaker } from './assert-within-maker.js';
import { TransferredGroupDto, TransferredKeyDto } from './key-transfer.dto.js';
import { ownerOf } from './keys.service.js';
import { RequestLogSettings } from './request-log-settings.js';
import { toBudget, toRateLimits } from './spending.dto.js';

/** Entries that are checked before others get their turn on the event loop. */
const CHECKED_AT_ONCE = 50;
const MIN_CHARACTERS = 24;

interface Read<Row> {
  readonly row: Row;
  /** Its position in the import. */
  readonly path: string;
  /** The members of its entry in the audit log, without secrets and hashes. */
  readonly changes: object;
}
export type ReadGroup = Read<KeyGroup>;
/** A key of an import, after its check. */
export interface ReadKey extends Read<ApiKey> {
  /** Hashes under which the same key may be stored. */
  readonly hashes: readonly string[];
}

interface ReadSecret {
  readonly id: string;
  readonly stored: KeyHash;
  readonly hint: string;
  readonly hashes: readonly string[];
}

/** Checks the entries of an import and makes rows of them. */
@Injectable()
export class KeyImportReader {
  constructor(
    private readonly pepper: Pepper,
    private readonly requestLogs: RequestLogSettings,
  ) {}

  groups(given: readonly object[], maker: Principal): Promise<ReadGroup[]> {
    return readAll('groups', given, TransferredGroupDto, (fields) => ({
      row: {
        id: fields.id ?? `group_${randomBytes(8).toString('hex')}`,
        name: fields.name,
        limits: toRateLimits(fields.limits),
        budget: toBudget(fields.budget),
        budgetAdjustment: null,
        fallbacks: fields.fallbacks ?? null,
        metadata: fields.metadata ?? null,
        createdBy: maker.keyId,
        createdAt: toMilliseconds(fields.created_at) ?? Date.now(),
      },
      changes: fields,
    }));
  }

  async keys(given: readonly object[], maker: Principal): Promise<ReadKey[]> {
    const keys = await readAll('keys', given, TransferredKeyDto, (fields) => this.key(fields, maker));
    const seen = new Map<string, string>();
    for (const { path, hashes } of keys) {
      const same = hashes.map((hash) => seen.get(hash)).find((each) => each !== undefined);
      if (same !== undefined) throw invalidRequest(`'${path}' is the same key as '${same}'. Leave one out.`, path);
      for (const hash of hashes) seen.set(hash, path);
    }
    return keys;
  }

  private key(fields: TransferredKeyDto, maker: Principal): Omit<ReadKey, 'path'> {
    if (maker.isOperator !== true) assertOrdinary(fields);
    const { id, stored, hint, hashes } = this.secretOf(fields);
    const ownId = maker.keyId.startsWith('key_') ? maker.keyId : null;
    const row: ApiKey = {
      id,
      name: fields.name,
      hash: stored.hash,
      hashScheme: stored.scheme,
      hint,
      previousHash: null,
      previousHashScheme: null,
      previousExpiresAt: null,
      scopes: fields.scopes ?? ['inference'],
      allowedModels: fields.allowed_models ?? null,
      fallbacks: fields.fallbacks ?? null,
      metadata: fields.metadata ?? null,
      groupId: fields.group_id ?? null,
      owner: ownerOf(fields.owner),
      limits: toRateLimits(fields.limits),
      budget: toBudget(fields.budget),
      budgetAdjustment: null,
      requestLog: this.requestLogs.of(fields),
      createdBy: fields.created_by ?? maker.keyId,
      parentId: fields.parent_id === undefined ? ownId : fields.parent_id,
      createdAt: toMilliseconds(fields.created_at) ?? Date.now(),
      expiresAt: toMilliseconds(fields.expires_at),
      revokedAt: toMilliseconds(fields.revoked_at),
    };
    assertWithinMaker(maker, row);
    if (ownId !== null && row.parentId === ownId) assertGeneration(maker);
    const { key: _key, hash: _hash, ...changes } = fields;
    return { row, changes, hashes };
  }

  private secretOf(fields: TransferredKeyDto): ReadSecret {
    const { key, hash } = fields;
    if (key !== undefined && hash === undefined) return this.secretOfKey(key, fields);
    if (hash !== undefined && key === undefined) return this.secretOfHash(hash, fields);
    throw invalidRequest("Send either 'key' or 'hash'. An export has hashes when it is asked for them.", 'key');
  }

  private secretOfHash(hash: string, { id, hash_type: type, pepper, hint }: TransferredKeyDto): ReadSecret {
    if (type === undefined) throw invalidRequest("Send 'hash_type' with 'hash': 'pepper' or 'sha256'.", 'hash_type');
    const scheme = type === 'sha256' ? PLAIN_SHA256 : (pepper ?? this.pepper.scheme);
    if (type === 'pepper' && !this.pepper.holds(scheme)) {
      throw invalidRequest(
        "'pepper' is not the key pepper of this gateway, so the key would not work here. Set that pepper as GATEWAY_KEY_PEPPER or GATEWAY_KEY_PEPPER_PREVIOUS.",
        'pepper',
      );
    }
    return { id: id ?? generateKey().id, stored: { hash, scheme }, hint: hint ?? '...', hashes: [hash] };
  }

  private secretOfKey(key: string, { id }: TransferredKeyDto): ReadSecret {
    const parsed = parseKey(key);
    if (parsed === undefined) {
      if (key.startsWith('gw_')) {
        throw invalidRequest("'key' begins as a key of this gateway and is damaged. Check that it is whole.", 'key');
      }
      const fault = secretFault(key, MIN_CHARACTERS);
      if (fault !== undefined) throw invalidRequest(`'key' ${fault}`, 'key');
    } else if (id !== undefined && id !== parsed.id) {
      throw invalidRequest(`'id' must be '${parsed.id}', which the key itself names, or absent.`, 'id');
    }
    return {
      id: parsed?.id ?? id ?? generateKey().id,
      stored: this.pepper.hash(key),
      hint: hintOf(key),
      hashes: this.pepper.hashesOf(key),
    };
  }
}

async function readAll<Dto extends object, Result extends { readonly row: { readonly id: string } }>(
  list: string,
  given: readonly object[],
  type: new () => Dto,
  read: (fields: Dto) => Result,
): Promise<(Result & { readonly path: string })[]> {
  const all: (Result & { readonly path: string })[] = [];
  const seen = new Map<string, string>();
  for (const [index, plain] of given.entries()) {
    if (index % CHECKED_AT_ONCE === CHECKED_AT_ONCE - 1) await new Promise(setImmediate);
    const path = `${list}[${index}]`;
    try {
      const result = read(toInstance(type, plain, { strayNull: 'fault' }));
      const same = seen.get(result.row.id);
      if (same !== undefined) throw invalidRequest(`'id' is the same as that of '${same}'. Leave one out.`, 'id');
      seen.set(result.row.id, path);
      all.push({ ...result, path });
    } catch (error) {
      throw error instanceof GatewayError ? within(path, error) : error;
    }
  }
  return all;
}

/** The fault with the position of its entry. */
function within(path: string, error: GatewayError): GatewayError {
  const param = error.param == null ? path : `${path}.${error.param}`;
  return new GatewayError({ ...error, message: `${path}: ${error.message}`, param });
}

/** Only operators may set the parent and the creator of a key. */
function assertOrdinary({ parent_id: parent, created_by: maker }: TransferredKeyDto): void {
  const field = parent !== undefined ? 'parent_id' : maker !== undefined ? 'created_by' : undefined;
  if (field === undefined) return;
  throw permissionDenied(
    `'${field}' can be set by GATEWAY_ADMIN_KEY, the key of the first start and the command line alone. Leave it out.`,
    'insufficient_scope',
    field,
  );
}

function toMilliseconds(seconds: number | null | undefined): number | null {
  return seconds == null ? null : seconds * 1_000;
}
