import type { AuditLog } from '../../audit/audit-log.service.js';
import { GatewayConfig } from '../../config/gateway-config.js';
import { Database } from '../../database/database.js';
import { GatewaySetting } from '../../database/gateway-setting.entity.js';
import { BootError } from '../../errors/boot-error.js';
import { FIRST_START } from '../../auth/key-lineage.js';
import { generateKey, hintOf } from '../../auth/api-key-format.js';
import { ApiKey } from '../../auth/api-key.entity.js';
import { BootstrapAdminKey } from './bootstrap-admin-key.js';
import type { PepperAgreement } from '../../auth/pepper-agreement.js';
import { Pepper } from '../../auth/pepper.js';

const ADMIN_SETTING = 'bootstrap_admin_key';
const FIRST_KEY_NAME = 'Admin key of the first start';
const FIRST_KEY_SCOPES = ['admin', 'inference', 'routing', 'provider_options'] as const;

/**
 * Checks that this process uses the same pepper as the others of its database, and that there is an admin key: if the database
 * is used without GATEWAY_ADMIN_KEY, exactly one of all processes generates an admin key.
 */
export async function bootstrapKeys(
  config: GatewayConfig,
  database: Database,
  pepper: Pepper,
  agreement: PepperAgreement,
  audit: AuditLog,
): Promise<BootstrapAdminKey> {
  return database.transaction(async (manager) => {
    /** The database decides which process was first: the row exists or it does not. */
    const claim = async (name: string, value: string): Promise<string> => {
      await manager.createQueryBuilder().insert().into(GatewaySetting).values({ name, value }).orIgnore().execute();
      const { value: kept } = await manager.findOneByOrFail(GatewaySetting, { name });
      return kept;
    };
    const state = await agreement.agree(manager, true);
    if (state === 'unknown') {
      throw new BootError(
        'GATEWAY_KEY_PEPPER (or key-pepper in the data directory) is not the one that this database’s keys were made with. Restore it: with another pepper no existing key works. If you replace the pepper, set the one before as GATEWAY_KEY_PEPPER_PREVIOUS.',
      );
    }
    if (state === 'previous') pepper.writeWith(pepper.previousFingerprint ?? pepper.fingerprint);
    if (config.auth.adminKey !== undefined) return new BootstrapAdminKey(undefined);
    const { id, key } = generateKey();
    if ((await claim(ADMIN_SETTING, id)) !== id) return new BootstrapAdminKey(undefined);
    const sealed = pepper.hash(key);
    await manager.insert(ApiKey, {
      id,
      name: FIRST_KEY_NAME,
      hash: sealed.hash,
      hashScheme: sealed.scheme,
      hint: hintOf(key),
      previousHash: null,
      previousHashScheme: null,
      previousExpiresAt: null,
      scopes: [...FIRST_KEY_SCOPES],
      allowedModels: null,
      fallbacks: null,
      owner: null,
      metadata: null,
      createdBy: FIRST_START,
      createdAt: Date.now(),
      expiresAt: null,
      revokedAt: null,
    });
    const changes = { name: FIRST_KEY_NAME, scopes: FIRST_KEY_SCOPES };
    await audit.note(manager, { actor: FIRST_START, action: 'key.created', targetId: id, changes });
    return new BootstrapAdminKey(key);
  });
}
