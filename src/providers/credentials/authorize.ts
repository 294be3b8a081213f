import type { CloudSettings, ProviderConfig } from '../../config/gateway-config.js';
import { GatewayError } from '../../errors/gateway-error.js';
import type { CredentialsKind } from '../definitions/definition.js';
import { signAws } from './aws/aws-authorize.js';
import { entraToken } from './entra/entra-token.js';
import { googleToken } from './google/google-authorize.js';
import { loginFailed } from './login-error.js';

/** A request before its credentials are added. A signature covers method, URL and body. */
export interface UnauthorizedRequest {
  readonly method: string;
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined for no body, and for a body that is not held in memory. */
  readonly body: Buffer | undefined;
}

export type AuthorizationHeaders = Readonly<Record<string, string>>;

/**
 * The headers that authenticate a request, names in lower case.
 *
 * @throws GatewayError `upstream_error` or `upstream_unavailable` when no credentials can be had
 */
export interface Authorize {
  (request: UnauthorizedRequest): AuthorizationHeaders | Promise<AuthorizationHeaders>;
  /** Of Google Cloud: the project of the login, for URLs that have `PROJECT_OF_LOGIN` in its place. Throws as above. */
  readonly project?: () => Promise<string>;
  /**
   * To be called with the headers of a request that the provider refused with 401 or 403. A login may have been revoked before
   * its time. Resolves to whether another request would have other credentials; rejects never.
   */
  readonly refused?: (headers: AuthorizationHeaders) => Promise<boolean>;
}

/** The logins of clouds. Those who call one provider in several ways share its login, by the settings of its entry. */
const logins = new WeakMap<CloudSettings, Authorize>();

/**
 * The credentials of a configured provider. Nothing is read from files or the network before the first request, and a cloud's
 * login is in flight once for all calls.
 */
export function authorizerOf(
  kind: CredentialsKind,
  { apiKey, cloud = {} }: Pick<ProviderConfig, 'apiKey' | 'cloud'>,
): Authorize {
  const hasKey = apiKey !== undefined && apiKey !== '';
  const always = (headers: AuthorizationHeaders): Authorize => {
    return () => headers;
  };
  switch (kind) {
    case 'none':
      return always({});
    case 'bearer':
      return always(hasKey ? { authorization: `Bearer ${apiKey}` } : {});
    case 'aws':
      return hasKey ? always({ authorization: `Bearer ${apiKey}` }) : loginOf(cloud, signAws);
    case 'google-cloud':
      return hasKey ? always({ 'x-goog-api-key': apiKey }) : loginOf(cloud, googleToken);
    case 'api-key-or-entra':
      return hasKey ? always({ 'api-key': apiKey }) : loginOf(cloud, entraToken);
    case 'x-api-key-or-entra':
      return hasKey ? always({ 'x-api-key': apiKey }) : loginOf(cloud, entraToken);
    case 'x-api-key':
    case 'api-key':
    case 'x-goog-api-key':
      return always(hasKey ? { [kind]: apiKey } : {});
  }
}

function loginOf(cloud: CloudSettings, make: (cloud: CloudSettings) => Authorize): Authorize {
  let login = logins.get(cloud);
  if (login === undefined) {
    login = withGatewayErrors(make(cloud));
    logins.set(cloud, login);
  }
  return login;
}

/** Each call gets an error of its own. */
function withGatewayErrors(authorize: Authorize): Authorize {
  const { project, refused } = authorize;
  const wrapped = (request: UnauthorizedRequest): AuthorizationHeaders | Promise<AuthorizationHeaders> => {
    const headers = authorize(request);
    return headers instanceof Promise ? headers.catch(throwLoginFailed) : headers;
  };
  return Object.assign(wrapped, {
    ...(project !== undefined && { project: () => project().catch(throwLoginFailed) }),
    ...(refused !== undefined && { refused }),
  });
}

function throwLoginFailed(reason: unknown): never {
  throw reason instanceof GatewayError ? reason : loginFailed(reason);
}
