import type { CloudSettings } from '../../../config/gateway-config.js';
import { BEDROCK_TYPE } from '../../definitions/bedrock.js';
import type { AwsKeys } from '../../definitions/logins/aws-login.js';
import type { Authorize, AuthorizationHeaders, UnauthorizedRequest } from '../authorize.js';
import { type Login, LoginCache } from '../login-cache.js';
import { LoginError } from '../login-error.js';
import { logInToAws } from './aws-login.js';
import { signRequest } from './sign-request.js';

/** AWS Signature Version 4 for a service of AWS, with the keys that the login of the entry finds. They are renewed before they expire. */
export function signAws(cloud: CloudSettings, service = BEDROCK_TYPE): Authorize {
  const { region = 'us-east-1' } = cloud;
  const cache = new LoginCache(() => keysOf(cloud, region));
  const signedBy = new WeakMap<AuthorizationHeaders, AwsKeys>();
  const authorize = async (request: UnauthorizedRequest): Promise<AuthorizationHeaders> => {
    const keys = await cache.get();
    const headers = await signRequest(request, keys, { region, service });
    signedBy.set(headers, keys);
    return headers;
  };
  const refused = async (headers: AuthorizationHeaders): Promise<boolean> => {
    const keys = signedBy.get(headers);
    return keys !== undefined && cache.replace(keys);
  };
  return Object.assign(authorize, { refused });
}

async function keysOf(
  { aws, accessKeyId, secretAccessKey, sessionToken }: CloudSettings,
  region: string,
): Promise<Login<AwsKeys>> {
  if (aws !== undefined) return logInToAws(aws, region);
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new LoginError('The AWS credentials are incomplete. Set access_key_id and secret_access_key.', false);
  }
  const value = { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
  return { value, expiresAt: Infinity };
}
