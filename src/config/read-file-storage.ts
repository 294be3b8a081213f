import { readS3, type S3Config } from './read-s3.js';
import type { FILES } from './settings/files.js';
import type { ValueOf } from './settings/setting.js';
import type { ReadVariable } from './settings/variables.js';

type FileSettings = ValueOf<typeof FILES>;

/** The settings of files, with the credentials of their bucket from the entry or the environment. */
export function readFileStorage(
  { s3, ...settings }: FileSettings,
  text: ReadVariable,
  fault: (path: string, message: string) => void,
): Omit<FileSettings, 's3'> & { readonly s3: S3Config | undefined } {
  return { ...settings, s3: s3 === undefined ? undefined : readS3(s3, 'files.s3', text, fault) };
}
