import type { ProviderConfig } from '../../config/gateway-config.js';
import type { CredentialsKind } from '../definitions/definition.js';
import { signAws } from './aws-signature.js';
import { googleToken } from './google-token.js';

/** A request before its credentials are added. A signature covers method, URL and body. */
export interface UnauthorizedRequest {
  readonly method: string;
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined for no body, and for a body that is not held in memory. */
  readonly body: Buffer | undefined;
}

type Headers = Readonly<Record<string, string>>;

/**
 * The headers that authenticate a request, names in lower case.
 *
 * @throws GatewayError `upstream_error` when no token can be had
 */
export type Authorize = (request: UnauthorizedRequest) => Headers | Promise<Headers>;

/** The credentials of a configured provider. Nothing is read from the environment or the network before the first request. */
export function authorizerOf(
  kind: CredentialsKind,
  { apiKey, cloud }: Pick<ProviderConfig, 'apiKey' | 'cloud'>,
): Authorize {
  const hasKey = apiKey !== undefined && apiKey !== '';
  const always = (headers: Headers): Authorize => {
    return () => headers;
  };
  switch (kind) {
    case 'none':
      return always({});
    case 'bearer':
      return always(hasKey ? { authorization: `Bearer ${apiKey}` } : {});
    case 'aws':
      return hasKey ? always({ authorization: `Bearer ${apiKey}` }) : signAws(cloud ?? {});
    case 'google-cloud':
      return hasKey ? always({ 'x-goog-api-key': apiKey }) : googleToken(cloud ?? {});
    case 'x-api-key':
    case 'api-key':
    case 'x-goog-api-key':
      return always(hasKey ? { [kind]: apiKey } : {});
  }
}
