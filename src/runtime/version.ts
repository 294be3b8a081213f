import { readFileSync } from 'node:fs';
import { PACKAGE_FOLDER } from './source-folder.js';

/** The version of package.json. */
export const VERSION: string = readVersion();

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('package.json', PACKAGE_FOLDER), 'utf8')) as { version?: string };
  return version ?? 'unknown';
}
