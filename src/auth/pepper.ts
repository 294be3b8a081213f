import { createHmac, randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GatewayConfig } from '../config/gateway-config.js';
import { BootError } from '../errors/boot-error.js';

/** The secret under which keys are hashed; injected by this class. */
export class Pepper {
  constructor(private readonly secret: string) {}

  /** HMAC-SHA-256 of a key. */
  hash(key: string): Buffer {
    return createHmac('sha256', this.secret).update(key).digest();
  }

  /** Tells peppers apart without giving anything away; kept in the database. */
  get fingerprint(): string {
    return this.hash('llm-gateway pepper fingerprint').toString('hex').slice(0, 32);
  }
}

/**
 * GATEWAY_KEY_PEPPER, or the one that an earlier start wrote into the data directory, or a new one written there. Of
 * processes that start at once, one writes and all read the same.
 *
 * @throws BootError when the data directory cannot be written
 */
export function loadPepper({ auth, dataDirectory, database }: GatewayConfig): Pepper {
  if (auth.pepper !== undefined) return new Pepper(auth.pepper);
  // Keys of a database that is gone with the process need no pepper that outlives it.
  if (database.kind === 'sqlite' && database.path === ':memory:') return new Pepper(randomBytes(32).toString('hex'));
  const path = join(dataDirectory, 'key-pepper');
  const existing = readPepper(path);
  if (existing !== undefined) return existing;
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
    writeFileSync(draft, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx', flush: true });
    try {
      // A link appears whole or not at all, and fails when another process was first.
      linkSync(draft, path);
    } finally {
      rmSync(draft);
    }
  } catch (error) {
    const written = readPepper(path);
    if (written !== undefined) return written;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new BootError(
      `the data directory ${dataDirectory} cannot be written (${code}). Make it writable for this user, or set GATEWAY_KEY_PEPPER.`,
      { cause: error },
    );
  }
  const written = readPepper(path);
  if (written === undefined) throw new BootError(`the key pepper ${path} cannot be read back.`);
  return written;
}

function readPepper(path: string): Pepper | undefined {
  let secret: string;
  try {
    secret = readFileSync(path, 'utf8').trim();
  } catch (error) {
    // A folder that cannot be is told by the attempt to write it.
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new BootError(
      `the key pepper ${path} cannot be read. Make it readable for this user, or set GATEWAY_KEY_PEPPER.`,
      {
        cause: error,
      },
    );
  }
  if (secret.length < 32) throw new BootError(`the key pepper ${path} is damaged. Restore it from a backup.`);
  return new Pepper(secret);
}
