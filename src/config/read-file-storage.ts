import { awsDomainOf, readAwsLogin } from '../providers/definitions/logins/aws-login.js';
import type { CloudSettings } from '../providers/definitions/types/connection.js';
import type { FILES } from './settings/files.js';
import type { ValueOf } from './settings/setting.js';
import type { ReadVariable, VariableName } from './settings/variables.js';

type FileSettings = ValueOf<typeof FILES>;

/** The bucket of files, and how to log in to it. */
export interface S3Config {
  readonly bucket: string;
  /** Without a trailing slash. */
  readonly endpoint: string;
  readonly pathStyle: boolean;
  readonly prefix: string;
  readonly cloud: CloudSettings;
}

/** The settings of files, with the credentials of their bucket from the entry or the environment. */
export function readFileStorage(
  { s3, ...settings }: FileSettings,
  text: ReadVariable,
  fault: (path: string, message: string) => void,
): Omit<FileSettings, 's3'> & { readonly s3: S3Config | undefined } {
  if (s3 === undefined) return { ...settings, s3: undefined };
  const { bucket, region, prefix, pathStyle, accessKeyId, secretAccessKey } = s3;
  const entry = {
    ...(accessKeyId !== undefined && { access_key_id: accessKeyId }),
    ...(secretAccessKey !== undefined && { secret_access_key: secretAccessKey }),
  };
  const { cloud, faults } = readAwsLogin({ entry, variable: (name) => text(name as VariableName) }, region);
  if (faults.length > 0) fault('files.s3.access_key_id', 'and secret_access_key are both required, or neither');
  const endpoint = (s3.endpoint ?? `https://s3.${region}.${awsDomainOf(region)}`).replace(/\/+$/, '');
  return { ...settings, s3: { bucket, endpoint, pathStyle, prefix, cloud: { ...cloud, region } } };
}
