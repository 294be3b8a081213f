import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GatewayConfig } from '../config/gateway-config.js';
import { BootError } from '../errors/boot-error.js';

/** Row of `gateway_setting` with the fingerprint of the pepper that new hashes are made with. */
export const PEPPER_SETTING = 'pepper_fingerprint';
/** Hash scheme of imported keys whose SHA-256 was made without a pepper. */
export const PLAIN_SHA256 = 'sha256';

/** The hash of a key with the scheme that it was made by: the fingerprint of a pepper, or `sha256`. */
export interface KeyHash {
  readonly hash: string;
  readonly scheme: string;
}

/** The secrets under which keys are hashed: the current one, and during a rotation the one before; injected by this class. */
export class Pepper {
  readonly fingerprint: string;
  readonly previousFingerprint: string | undefined;
  private readonly secrets: ReadonlyMap<string, string>;
  private written: string;

  constructor(secret: string, previous?: string) {
    this.fingerprint = fingerprintOf(secret);
    this.previousFingerprint = previous === undefined || previous === secret ? undefined : fingerprintOf(previous);
    this.secrets = new Map([
      ...(previous === undefined ? [] : [[fingerprintOf(previous), previous] as const]),
      [this.fingerprint, secret] as const,
    ]);
    this.written = this.fingerprint;
  }

  /** Fingerprint of the pepper that new hashes are made with. */
  get scheme(): string {
    return this.written;
  }

  holds(fingerprint: string): boolean {
    return this.secrets.has(fingerprint);
  }

  /** Makes new hashes with one of the held peppers from now on. */
  writeWith(fingerprint: string): void {
    if (!this.holds(fingerprint)) throw new Error('this process does not hold that pepper');
    this.written = fingerprint;
  }

  /** The hash that is stored of a key. */
  hash(key: string): KeyHash {
    return { hash: this.hashBy(key, this.written), scheme: this.written };
  }

  /** Every hash that may be stored of a key. */
  hashesOf(key: string): string[] {
    return [...this.schemes].map((scheme) => this.hashBy(key, scheme));
  }

  /**
   * Compares in constant time; a missing hash or one of an unknown pepper is compared as well, so that the timing is the same.
   *
   * @param scheme null where the row was written by a version that knew one pepper only
   */
  matches(key: string, hash: string | null | undefined, scheme: string | null | undefined): boolean {
    const schemes = scheme == null ? this.schemes : [scheme];
    let isMatch = false;
    for (const each of schemes) {
      const isKnown = each === PLAIN_SHA256 ? scheme != null : this.holds(each);
      const stored = hash == null || !isKnown ? NO_HASH : Buffer.from(hash, 'hex');
      const given = Buffer.from(this.hashBy(key, isKnown ? each : this.fingerprint), 'hex');
      if (stored.length === given.length && timingSafeEqual(given, stored) && stored !== NO_HASH) isMatch = true;
    }
    return isMatch;
  }

  private get schemes(): readonly string[] {
    return [...this.secrets.keys(), PLAIN_SHA256];
  }

  private hashBy(key: string, scheme: string): string {
    if (scheme === PLAIN_SHA256) return createHash('sha256').update(key).digest('hex');
    return hmac(this.secrets.get(scheme) ?? '', key);
  }
}

/** Compared with where there is no hash. */
const NO_HASH = Buffer.alloc(32);

function hmac(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest('hex');
}

/** Identifies a pepper without revealing it; stored in the database. */
function fingerprintOf(secret: string): string {
  return hmac(secret, 'llm-gateway pepper fingerprint').slice(0, 32);
}

/**
 * GATEWAY_KEY_PEPPER, or the one that an earlier start wrote into the data directory, or a new one written there. Of
 * processes that start at once, one writes and all read the same. GATEWAY_KEY_PEPPER_PREVIOUS is held beside it.
 *
 * @throws BootError when the data directory cannot be written
 */
export function loadPepper(config: GatewayConfig): Pepper {
  return new Pepper(loadSecret(config), config.auth.previousPepper);
}

function loadSecret({ auth, dataDirectory, database }: GatewayConfig): string {
  if (auth.pepper !== undefined) return auth.pepper;
  // Keys of an in-memory database need no pepper that outlives the process.
  if (database.kind === 'sqlite' && database.path === ':memory:') return randomBytes(32).toString('hex');
  const path = join(dataDirectory, 'key-pepper');
  const existing = readPepper(path);
  if (existing !== undefined) return existing;
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
    writeFileSync(draft, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx', flush: true });
    try {
      // Creating a link is atomic, and fails when another process was first.
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

function readPepper(path: string): string | undefined {
  let secret: string;
  try {
    secret = readFileSync(path, 'utf8').trim();
  } catch (error) {
    // A folder that cannot be used is reported by the attempt to write to it.
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
  return secret;
}
