import { awsDomainOf, readAwsLogin } from '../providers/definitions/logins/aws-login.js';
import type { CloudSettings } from '../providers/definitions/types/connection.js';
import type { GroupValue } from './settings/composites.js';
import type { S3_MEMBERS } from './settings/s3.js';
import type { ReadVariable, VariableName } from './settings/variables.js';

/** A bucket, and how to log in to it. */
export interface S3Config {
  readonly bucket: string;
  /** Without a trailing slash. */
  readonly endpoint: string;
  readonly pathStyle: boolean;
  readonly prefix: string;
  readonly cloud: CloudSettings;
}

/**
 * A bucket with its credentials from the entry or the environment.
 *
 * @param path of the entry in the file
 */
export function readS3(
  { bucket, region, prefix, pathStyle, accessKeyId, secretAccessKey, endpoint: own }: GroupValue<typeof S3_MEMBERS>,
  path: string,
  text: ReadVariable,
  fault: (path: string, message: string) => void,
): S3Config {
  const entry = {
    ...(accessKeyId !== undefined && { access_key_id: accessKeyId }),
    ...(secretAccessKey !== undefined && { secret_access_key: secretAccessKey }),
  };
  const { cloud, faults } = readAwsLogin({ entry, variable: (name) => text(name as VariableName) }, region);
  if (faults.length > 0) fault(`${path}.access_key_id`, 'and secret_access_key are both required, or neither');
  const endpoint = (own ?? `https://s3.${region}.${awsDomainOf(region)}`).replace(/\/+$/, '');
  return { bucket, endpoint, pathStyle, prefix, cloud: { ...cloud, region } };
}
