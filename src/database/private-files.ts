import { chmodSync, closeSync, lstatSync, mkdirSync, openSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';

export const PRIVATE_FILE = 0o600;
export const PRIVATE_FOLDER = 0o700;
/** `chmod +t`: a folder that users share, such as /tmp. */
const STICKY = 0o1000;
const OTHERS = 0o077;

/** What was made private that was not: a path and its mode before, in octal. */
export interface Tightened {
  readonly path: string;
  readonly before: string;
}

/** Makes a folder that its owner alone can enter; one that is there already stays as it is. */
export function createPrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER });
}

/**
 * Makes a database file that its owner alone can read, before SQLite would make one that everybody can. SQLite gives its other
 * files (`-wal`, `-shm`, `-journal`) the mode of this one.
 */
export function createPrivateFile(path: string): void {
  createPrivateFolder(dirname(path));
  closeSync(openSync(path, 'a', PRIVATE_FILE));
}

/**
 * Takes away what other users may do with a file or a folder of this user. What belongs to somebody else, a link and a folder
 * that users share are left alone, and so is what is not there.
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

/** Undefined for what cannot be there either, such as a path below a file. */
function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}
