import { readFile } from 'node:fs/promises';
import type { CloudSettings } from '../../../config/gateway-config.js';
import type { EntraLogin } from '../../definitions/logins/entra-login.js';
import { type AccessToken, requestAccessToken } from '../access-token.js';
import type { Authorize, AuthorizationHeaders } from '../authorize.js';
import { type Login, LoginCache } from '../login-cache.js';
import { LoginError } from '../login-error.js';
import { readTokenFile } from '../token-file.js';
import { METADATA_TIMEOUT_MS } from '../token-request.js';
import { certificateAssertion } from './certificate-assertion.js';

const SERVICE = 'Microsoft Entra ID';
const MANAGED_IDENTITY = "Azure's managed identity endpoint";
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** API versions of App Service and of the metadata service of virtual machines. */
const IDENTITY_API_VERSION = '2019-08-01';
const INSTANCE_API_VERSION = '2018-02-01';
/** The metadata service has no token yet, or is being updated. */
const INSTANCE_TRANSIENT_STATUSES = [404, 410];

/** A token of Microsoft Entra ID as a bearer token. It is renewed before it expires. */
export function entraToken({ entra }: CloudSettings): Authorize {
  const cache = new LoginCache(async (): Promise<Login<AuthorizationHeaders>> => {
    if (entra === undefined) throw new LoginError('There is neither an API key nor a login. Set api_key.', false);
    const { token, ...times } = await requestEntraToken(entra);
    return { value: { authorization: `Bearer ${token}` }, ...times };
  });
  return Object.assign(() => cache.get(), { refused: (headers: AuthorizationHeaders) => cache.replace(headers) });
}

async function requestEntraToken(login: EntraLogin): Promise<AccessToken> {
  switch (login.kind) {
    case 'client-secret':
      return applicationToken(login, { client_secret: login.clientSecret });
    case 'client-certificate': {
      const { certificateFile, clientId } = login;
      const assertion = certificateAssertion(await readPem(certificateFile), clientId, tokenUrlOf(login));
      return applicationToken(login, { client_assertion_type: ASSERTION_TYPE, client_assertion: assertion });
    }
    case 'federated-token': {
      const assertion = await readTokenFile(login.tokenFile, 'AZURE_FEDERATED_TOKEN_FILE');
      return applicationToken(login, { client_assertion_type: ASSERTION_TYPE, client_assertion: assertion });
    }
    case 'identity-endpoint':
      return requestAccessToken({
        service: MANAGED_IDENTITY,
        method: 'GET',
        url: identityUrl(login.endpoint, IDENTITY_API_VERSION, login),
        headers: { 'x-identity-header': login.identityHeader },
        timeoutMs: METADATA_TIMEOUT_MS,
        secrets: [login.identityHeader],
      });
    case 'instance':
      return requestAccessToken({
        service: MANAGED_IDENTITY,
        method: 'GET',
        url: identityUrl(`${login.endpoint}/metadata/identity/oauth2/token`, INSTANCE_API_VERSION, login),
        headers: { metadata: 'true' },
        timeoutMs: METADATA_TIMEOUT_MS,
        transientStatuses: INSTANCE_TRANSIENT_STATUSES,
      });
  }
}

type Application = Extract<EntraLogin, { readonly tenantId: string }>;

function tokenUrlOf({ authority, tenantId }: Application): string {
  return `${authority}/${encodeURIComponent(tenantId)}/oauth2/v2.0/token`;
}

function applicationToken(login: Application, proof: Readonly<Record<string, string>>): Promise<AccessToken> {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: login.clientId,
    scope: login.scope,
    ...proof,
  });
  const secrets = [proof['client_secret'], proof['client_assertion']];
  return requestAccessToken({ service: SERVICE, method: 'POST', url: tokenUrlOf(login), form, secrets });
}

/** Managed identities are asked for a resource, which is a scope without its end. */
function identityUrl(
  endpoint: string,
  version: string,
  { scope, clientId }: { scope: string; clientId?: string },
): string {
  const url = new URL(endpoint);
  url.searchParams.set('api-version', version);
  url.searchParams.set('resource', scope.replace(/\/\.default$/, ''));
  if (clientId !== undefined) url.searchParams.set('client_id', clientId);
  return url.href;
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new LoginError(`The certificate file ${path} cannot be read (${code}).`, false);
  }
}
