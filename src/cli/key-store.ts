/** The services that commands on keys use. Only these commands load it, because it imports most of the application. */
import { NestFactory } from '@nestjs/core';
import type { INestApplicationContext } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { BootstrapAdminKey } from '../admin/keys/bootstrap-admin-key.js';
import { KeysService } from '../admin/keys/keys.service.js';
import { countKeyHashes, hashRemarks } from '../auth/key-hash-counts.js';
import { Pepper } from '../auth/pepper.js';
import { SCOPES, type Principal } from '../auth/principal.js';
import { loadConfig } from '../config/load-config.js';
import { Database } from '../database/database.js';
import { StrictBodyPipe } from '../http/strict-body.pipe.js';
import { complain } from './command.js';
import { KeyCommandsModule } from './keys.module.js';

export { CreateKeyDto, KeyQueryDto } from '../admin/keys/key-request.dto.js';
export { KeyExport } from '../admin/keys/key-export.service.js';
export { KeyImport } from '../admin/keys/key-import.service.js';
export { KeyPurge } from '../admin/keys/key-purge.service.js';
export { ExportKeysQueryDto, PurgeKeysDto } from '../admin/keys/key-transfer.dto.js';

/** Who made a key, as the list of keys and the audit log show it. */
export const COMMAND_LINE: Principal = {
  keyId: 'command-line',
  name: 'llm-gateway on the command line',
  scopes: new Set(SCOPES),
  allowedModels: null,
  groupId: null,
  accounts: [],
  isOperator: true,
};

/** Warnings for operators about the hashes of keys. */
export async function hashRemarksOf(app: INestApplicationContext): Promise<readonly string[]> {
  const pepper = app.get(Pepper, { strict: false });
  const { manager } = app.get(DataSource, { strict: false });
  const { dialect } = app.get(Database, { strict: false });
  return hashRemarks(await countKeyHashes(manager, dialect, pepper));
}

/** The fields as the admin API would take them. @throws GatewayError that names the one at fault */
export async function checked<Dto extends object>(type: new () => Dto, fields: object): Promise<Dto> {
  return (await new StrictBodyPipe().transform(fields, { type: 'body', metatype: type })) as Dto;
}

/** Works on the database itself, so that it needs no admin key and no gateway that runs. */
export async function withKeys(
  work: (keys: KeysService, app: INestApplicationContext) => Promise<void>,
): Promise<number> {
  const app: INestApplicationContext = await NestFactory.createApplicationContext(
    KeyCommandsModule.forRoot(loadConfig()),
    {
      logger: false,
      abortOnError: false,
    },
  );
  try {
    const first = app.get(BootstrapAdminKey, { strict: false }).takeOnce();
    if (first !== undefined) complain(`Admin key of this new database (shown only now, keep it): ${first}\n`);
    await work(app.get(KeysService, { strict: false }), app);
  } finally {
    await app.close();
  }
  return 0;
}
