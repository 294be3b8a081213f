import { randomBytes } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { configFile } from './load-config.js';

/** The absolute path of gateway.yaml, whether it is there or not. */
export function configPath(named = configFile()): string {
  return resolve(named === undefined || named.trim() === '' ? 'gateway.yaml' : named.trim());
}

/** The text of the file; undefined where there is none that can be read. */
export function readConfigFile(path = configPath()): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Why this process cannot replace the file; undefined where it can. */
export function unwritableReason(path = configPath()): string | undefined {
  try {
    const target = realpathSync(path);
    accessSync(target, constants.W_OK);
    // It is replaced by a new file beside it.
    accessSync(dirname(target), constants.W_OK);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return 'There is no gateway.yaml.';
    if (code === 'EROFS') return 'gateway.yaml is on a read-only file system.';
    return 'The user of the gateway may not write gateway.yaml and its folder.';
  }
}

/**
 * Replaces the file at once: who reads it sees the whole text of before or of now. Links, permissions and, where that is allowed, the
 * owner stay.
 *
 * @throws Error of the file system; the file is then as it was
 */
export function replaceConfigFile(text: string, path = configPath()): void {
  const target = realpathSync(path);
  const { mode, uid, gid } = statSync(target);
  const draft = `${target}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx', flush: true });
    // Not at its creation, where the mask of the process would take rights away.
    chmodSync(draft, mode & 0o777);
    try {
      chownSync(draft, uid, gid);
    } catch {
      // Another owner can be given by root alone; the file is then that of the gateway's user.
    }
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  flushFolder(dirname(target));
}

/** A power failure must not bring the file of before back. */
function flushFolder(folder: string): void {
  let handle: number | undefined;
  try {
    handle = openSync(folder, 'r');
    fsyncSync(handle);
  } catch {
    // Not every file system flushes folders.
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}
