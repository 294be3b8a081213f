import { nonEmptyString } from '../../../runtime/json-value.js';
import type { AwsContainer, AwsKeys } from '../../definitions/logins/aws-login.js';
import type { Login } from '../login-cache.js';
import { LoginError } from '../login-error.js';
import { readTokenFile } from '../token-file.js';
import {
  METADATA_TIMEOUT_MS,
  parseObject,
  readTokenJson,
  requestToken,
  type TokenRequest,
  type TokenResponse,
  withoutSecrets,
} from '../token-request.js';
import { readKeys, type KeyNames } from './aws-keys.js';

const NAMES: KeyNames = { id: 'AccessKeyId', secret: 'SecretAccessKey', token: 'Token' };
/** Seconds. Each login takes a new token of the metadata service, so it need not live long. */
const TOKEN_LIFETIME_SECONDS = 300;
/** While IMDS cannot renew a role's keys, it sends the last ones; AWS asks its clients to use them and to ask again. */
const STALE_REFRESH_MS = 300_000;
const ROLE_NAME = /^[\w+=,.@-]{1,128}$/;

/** Keys of the task or pod, as ECS and EKS Pod Identity serve them. */
export async function containerKeys({ url, token, tokenFile }: AwsContainer): Promise<Login<AwsKeys>> {
  const service = 'the credentials endpoint of the container';
  // The platform replaces it before it expires.
  const authorization =
    tokenFile === undefined ? token : await readTokenFile(tokenFile, 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE');
  const request: TokenRequest = {
    service,
    method: 'GET',
    url,
    timeoutMs: METADATA_TIMEOUT_MS,
    secrets: [authorization],
    headers: { accept: 'application/json', ...(authorization !== undefined && { authorization }) },
  };
  const response = await requestToken(request);
  if (response.status !== 200) throw refusal(request, response);
  return readKeys(service, readTokenJson(request, response), NAMES);
}

/**
 * Keys of the machine's role, from EC2's metadata service in version 2.
 *
 * @param endpoint without a trailing slash
 */
export async function instanceKeys(endpoint: string): Promise<Login<AwsKeys>> {
  const service = 'the EC2 metadata service';
  const common = { service, timeoutMs: METADATA_TIMEOUT_MS } as const;
  const opened = await requestToken({
    ...common,
    method: 'PUT',
    url: `${endpoint}/latest/api/token`,
    headers: { 'x-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_LIFETIME_SECONDS) },
  });
  const token = opened.text.trim();
  if (opened.status !== 200 || token === '' || /[^\x21-\x7e]/.test(token)) {
    throw new LoginError(`${service} gave no token (HTTP ${opened.status}).`, opened.status === 200, opened.status);
  }
  const get = (path: string): TokenRequest => ({
    ...common,
    method: 'GET',
    url: `${endpoint}/latest/meta-data/iam/security-credentials/${path}`,
    headers: { 'x-aws-ec2-metadata-token': token },
    secrets: [token],
  });
  const listed = await requestToken(get(''));
  const role = listed.text.split('\n')[0]?.trim() ?? '';
  if (listed.status === 404 || (listed.status === 200 && role === '')) {
    throw new LoginError(
      'The machine has no IAM role. Attach an instance profile, or set access keys.',
      false,
      listed.status,
    );
  }
  if (listed.status !== 200) throw refusal(get(''), listed);
  if (!ROLE_NAME.test(role))
    throw new LoginError(`${service} sent a role name that cannot be read.`, true, listed.status);
  const request = get(encodeURIComponent(role));
  const response = await requestToken(request);
  if (response.status !== 200) throw refusal(request, response);
  const body = readTokenJson(request, response);
  const code = nonEmptyString(body['Code']);
  if (code !== undefined && code !== 'Success') {
    throw new LoginError(`${service} has no keys of the role: ${withoutSecrets(code)}.`, true, response.status, code);
  }
  const expiration = typeof body['Expiration'] === 'string' ? Date.parse(body['Expiration']) : NaN;
  if (expiration > Date.now()) return readKeys(service, body, NAMES);
  const { Expiration: _past, ...undated } = body;
  return { ...readKeys(service, undated, NAMES), refreshAt: Date.now() + STALE_REFRESH_MS };
}

function refusal({ service, secrets }: TokenRequest, { status, text }: TokenResponse): LoginError {
  const body = parseObject(text) ?? {};
  const code = nonEmptyString(body['code']) ?? nonEmptyString(body['Code']);
  const words = [code, nonEmptyString(body['message']) ?? nonEmptyString(body['Message'])];
  const clean = withoutSecrets(words.filter((part) => part !== undefined).join(': '), secrets);
  return new LoginError(
    `${service} refused the request with HTTP ${status}${clean === '' ? '.' : `: ${clean}`}`,
    false,
    status,
    code === undefined ? undefined : withoutSecrets(code, secrets),
  );
}
