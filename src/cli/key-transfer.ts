import { once } from 'node:events';
import { createReadStream, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { ImportKeysDto } from '../admin/keys/key-transfer.dto.js';
import { parseDuration } from '../config/units.js';
import { complain, say, UsageError, type Command } from './command.js';

const DAY_MS = 86_400_000;
const STANDARD_STREAM = '-';

export const KEYS_EXPORT: Command = {
  name: 'keys export',
  summary: 'writes all keys and groups as JSON that keys import reads, never a key itself',
  usage: '[options]',
  options: {
    to: { value: 'file', meaning: 'a new file, readable for this user alone. Default standard output' },
    hashes: { meaning: 'with hashes, so that the keys work where they are imported with the same pepper' },
    revoked: { meaning: 'revoked keys as well' },
  },
  maxWords: 0,
  run: async ({ text, flag }) => {
    const { checked, COMMAND_LINE, ExportKeysQueryDto, KeyExport, withKeys } = await import('./key-store.js');
    return withKeys(async (_keys, app) => {
      const query = await checked(ExportKeysQueryDto, {
        hashes: String(flag('hashes')),
        revoked: String(flag('revoked')),
      });
      const pieces = app.get(KeyExport, { strict: false }).text(query, COMMAND_LINE);
      const to = text('to');
      if (to === undefined || to === STANDARD_STREAM) {
        for await (const piece of pieces) if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
        return;
      }
      const file = await open(to, 'wx', 0o600).catch((error: unknown) => {
        throw new UsageError(`${to} cannot be written (${codeOf(error)}). Name a new file.`);
      });
      try {
        for await (const piece of pieces) await file.write(piece);
      } finally {
        await file.close();
      }
      complain(`exported: ${to}`);
    });
  },
};

export const KEYS_IMPORT: Command = {
  name: 'keys import',
  summary: 'takes in keys with their own value or hash, and groups; all of the file or nothing',
  usage: '<file> [options]',
  options: { 'skip-existing': { meaning: 'leaves out what is here already, in place of refusing the file' } },
  maxWords: 1,
  run: async ({ words, flag }) => {
    const [path] = words;
    if (path === undefined)
      throw new UsageError('Which file? Name one as keys export writes it, or - for standard input.');
    const { COMMAND_LINE, KeyImport, withKeys } = await import('./key-store.js');
    return withKeys(async (_keys, app) => {
      const body = readImport(await readText(path), path);
      const {
        imported,
        skipped,
        imported_groups: groups,
      } = await app
        .get(KeyImport, { strict: false })
        .import({ ...body, skip_existing: flag('skip-existing') }, COMMAND_LINE);
      say(`imported: ${imported} keys, ${groups} groups${skipped > 0 ? `; ${skipped} keys were here already` : ''}`);
    });
  },
};

export const KEYS_PURGE: Command = {
  name: 'keys purge',
  summary: 'takes away keys that were revoked long ago; reports and budgets keep what they spent',
  usage: '--retention <duration> [options]',
  options: {
    retention: {
      value: 'duration',
      meaning: 'how long revoked keys are kept, in whole days, such as 90d; 0d keeps none',
    },
    'dry-run': { meaning: 'only says how many' },
  },
  maxWords: 0,
  run: async ({ text, flag }) => {
    const retention = text('retention');
    const duration = retention === '0d' ? 0 : parseDuration(retention);
    if (duration === undefined || duration % DAY_MS !== 0) {
      throw new UsageError('--retention must be a number of whole days, such as 90d: how long revoked keys are kept.');
    }
    const { checked, COMMAND_LINE, KeyPurge, PurgeKeysDto, withKeys } = await import('./key-store.js');
    return withKeys(async (_keys, app) => {
      const fields = await checked(PurgeKeysDto, { retention_days: duration / DAY_MS, dry_run: flag('dry-run') });
      const { purged, kept } = await app.get(KeyPurge, { strict: false }).purge(fields, COMMAND_LINE);
      const rest = kept > 0 ? `; ${kept} stay, since other keys depend on them` : '';
      say(`${flag('dry-run') ? 'would be purged' : 'purged'}: ${purged} keys${rest}`);
    });
  },
};

async function readText(path: string): Promise<string> {
  try {
    if (path !== STANDARD_STREAM) return readFileSync(path, 'utf8');
    let text = '';
    for await (const piece of createReadStream('', { fd: 0, encoding: 'utf8' })) text += String(piece);
    return text;
  } catch (error) {
    throw new UsageError(`${path} cannot be read (${codeOf(error)}).`);
  }
}

/** An export, or a list of keys alone. What is in them is checked by the import. */
function readImport(text: string, path: string): Pick<ImportKeysDto, 'groups' | 'keys'> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError(`${path} holds no JSON. It must be as keys export writes it.`);
  }
  const body = (Array.isArray(value) ? { keys: value } : (value ?? {})) as Partial<ImportKeysDto>;
  const { groups = [], keys } = body;
  if (!Array.isArray(keys) || !Array.isArray(groups)) {
    throw new UsageError(`${path} must hold {"groups": [...], "keys": [...]}, or a list of keys.`);
  }
  return { groups, keys };
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error';
}
