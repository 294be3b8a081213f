import type { GoogleAuth } from 'google-auth-library';
import type { CloudSettings } from '../../config/gateway-config.js';
import { upstreamError } from '../../errors/gateway-error.js';
import type { Authorize } from './authorize.js';

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';

/**
 * An access token of the service account whose key file is configured, otherwise of what the machine itself is logged in as
 * (Application Default Credentials: the metadata server of the cloud, or gcloud). The library caches tokens and renews them
 * before they expire. It is loaded by the first request.
 */
export function googleToken({ credentialsFile }: Pick<CloudSettings, 'credentialsFile'>): Authorize {
  let auth: GoogleAuth | undefined;
  return async () => {
    try {
      if (auth === undefined) {
        const library = await import('google-auth-library');
        auth ??= new library.GoogleAuth({
          scopes: [SCOPE],
          ...(credentialsFile !== undefined && { keyFilename: credentialsFile }),
        });
      }
      const token = await auth.getAccessToken();
      if (typeof token === 'string' && token !== '') return { authorization: `Bearer ${token}` };
    } catch (cause) {
      auth = undefined;
      throw loginFailed(cause);
    }
    throw loginFailed(undefined);
  };
}

/** The cause may quote the key file, so only its name and code are kept. */
function loginFailed(cause: unknown): Error {
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : undefined;
  const name = cause instanceof Error ? cause.name : 'no token';
  return upstreamError({
    message: 'The upstream provider could not be called. The operator of the gateway must check its settings.',
    cause: new Error(`The login to Google Cloud failed: ${name}${code === undefined ? '' : ` (${code})`}.`),
  });
}
