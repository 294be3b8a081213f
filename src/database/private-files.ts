import { chmodSync, closeSync, lstatSync, mkdirSync, openSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';

export const PRIVATE_FILE = 0o600;
export const PRIVATE_FOLDER = 0o700;
/** `chmod +t`: a folder that users share, such as /tmp. */
const STICKY = 0o1000;
const OTHERS = 0o077;

/** A path that was made private, and its mode before, in octal. */
export interface Tightened {
  readonly path: string;
  readonly before: string;
}

/** Creates a folder that only its owner can enter; an existing one stays unchanged. */
export function createPrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER });
}

/**
 * Creates a database file that only its owner can read, before SQLite would create a world-readable one. SQLite gives its other
 * files (`-wal`, `-shm`, `-journal`) the mode of this one.
 */
export function createPrivateFile(path: string): void {
  createPrivateFolder(dirname(path));
  closeSync(openSync(path, 'a', PRIVATE_FILE));
}

/**
 * Removes the permissions of other users on a file or a folder of this user. Files of other users, links, shared folders and
 * missing paths are left alone.
 */
export function makePrivate(path: string, kind: 'file' | 'folder'): Tightened | undefined {
  const stats = statsOf(path);
  if (stats === undefined || !(kind === 'file' ? stats.isFile() : stats.isDirectory())) return undefined;
  if ((stats.mode & OTHERS) === 0 || (stats.mode & STICKY) !== 0 || stats.uid !== process.getuid?.()) return undefined;
  try {
    chmodSync(path, stats.mode & 0o700);
  } catch {
    // A file system without modes.
    return undefined;
  }
  return { path, before: (stats.mode & 0o777).toString(8).padStart(4, '0') };
}

/** Undefined also for paths that cannot exist, such as a path below a file. */
function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}
