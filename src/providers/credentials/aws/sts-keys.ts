import type { AwsKeys, AwsRole } from '../../definitions/logins/aws-login.js';
import type { Login } from '../login-cache.js';
import { LoginError } from '../login-error.js';
import { readTokenFile } from '../token-file.js';
import { requestToken, type TokenRequest, type TokenResponse, withoutSecrets } from '../token-request.js';
import { readKeys, type KeyNames } from './aws-keys.js';
import { signRequest } from './sign-request.js';

const SERVICE = 'AWS STS';
const API_VERSION = '2011-06-15';
const NAMES: KeyNames = { id: 'AccessKeyId', secret: 'SecretAccessKey', token: 'SessionToken' };
/** STS could not reach the identity provider, or is asked too often. */
const TRANSIENT_CODE = /^(?:IDPCommunicationError|Throttling|ThrottlingException|RequestLimitExceeded)$/;

/** Where STS is, and the region that requests to it are signed for. */
export interface Sts {
  readonly endpoint: string;
  readonly region: string;
}

/** Keys of a role, for the token that a platform such as EKS writes to a file. The request needs no other credentials. */
export async function webIdentityKeys(sts: Sts, role: AwsRole, tokenFile: string): Promise<Login<AwsKeys>> {
  const token = await readTokenFile(tokenFile, 'AWS_WEB_IDENTITY_TOKEN_FILE');
  const form = formOf('AssumeRoleWithWebIdentity', role);
  form.set('WebIdentityToken', token);
  return requestKeys({ service: SERVICE, method: 'POST', url: sts.endpoint, form, secrets: [token] });
}

/** Keys of a role that other keys may assume. */
export async function roleKeys(sts: Sts, role: AwsRole, keys: AwsKeys): Promise<Login<AwsKeys>> {
  const form = formOf('AssumeRole', role);
  if (role.externalId !== undefined) form.set('ExternalId', role.externalId);
  const headers = await signRequest(
    {
      method: 'POST',
      url: sts.endpoint,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: Buffer.from(form.toString()),
    },
    keys,
    { region: sts.region, service: 'sts' },
  );
  return requestKeys({
    service: SERVICE,
    method: 'POST',
    url: sts.endpoint,
    form,
    headers,
    secrets: [keys.secretAccessKey, keys.sessionToken, role.externalId],
  });
}

function formOf(action: string, { arn, sessionName, durationSeconds }: AwsRole): URLSearchParams {
  return new URLSearchParams({
    Action: action,
    Version: API_VERSION,
    RoleArn: arn,
    RoleSessionName: sessionName,
    ...(durationSeconds !== undefined && { DurationSeconds: String(durationSeconds) }),
  });
}

async function requestKeys(request: TokenRequest): Promise<Login<AwsKeys>> {
  const response = await requestToken(request);
  if (response.status !== 200) throw refusal(request, response);
  const credentials = elementOf(response.text, 'Credentials') ?? '';
  const values = [NAMES.id, NAMES.secret, NAMES.token, 'Expiration'].map((name) => [
    name,
    elementOf(credentials, name),
  ]);
  return readKeys(SERVICE, Object.fromEntries(values) as Record<string, string | undefined>, NAMES);
}

function refusal({ secrets }: TokenRequest, { status, text }: TokenResponse): LoginError {
  const code = elementOf(text, 'Code');
  const words = [code, elementOf(text, 'Message')].filter((part) => part !== undefined).join(': ');
  const clean = withoutSecrets(words, secrets);
  return new LoginError(
    `${SERVICE} refused the login with HTTP ${status}${clean === '' ? '.' : `: ${clean}`}`,
    code !== undefined && TRANSIENT_CODE.test(code),
    status,
    code === undefined ? undefined : withoutSecrets(code, secrets),
  );
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The content of the first element of a name, in XML as STS writes it: without attributes on the way, comments and CDATA. */
function elementOf(xml: string, name: string): string | undefined {
  const begin = new RegExp(`<${name}(?:\\s[^<>]*)?>`).exec(xml);
  if (begin === null) return undefined;
  const start = begin.index + begin[0].length;
  const end = xml.indexOf(`</${name}>`, start);
  if (end === -1) return undefined;
  const content = xml.slice(start, end);
  return content.includes('<')
    ? content
    : content.replace(/&(amp|lt|gt|quot|apos);/g, (_all, entity: string) => ENTITIES[entity] ?? '');
}
