import { nonEmptyString } from '../../runtime/json-value.js';
import { LoginError } from './login-error.js';
import {
  parseObject,
  readTokenJson,
  requestToken,
  type TokenRequest,
  type TokenResponse,
  withoutSecrets,
} from './token-request.js';

/** An OAuth token by its response. */
export interface AccessToken {
  readonly token: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  readonly refreshAt?: number;
}

/** A server that asks for an earlier renewal would be asked with every request. */
const MIN_REFRESH_MS = 1_000;
/** A token of which its server does not say how long it lasts is used for so long. */
const UNKNOWN_LIFETIME_MS = 300_000;

/**
 * Sends a request to an OAuth token endpoint, or to a metadata service that responds as one.
 *
 * @throws LoginError
 */
export async function requestAccessToken(request: TokenRequest): Promise<AccessToken> {
  const response = await requestToken(request);
  if (response.status !== 200) throw oauthRefusal(request, response);
  const body = readTokenJson(request, response);
  const token = nonEmptyString(body['access_token']);
  if (token === undefined || /[^\x21-\x7e]/.test(token)) {
    throw new LoginError(`${request.service} sent a response without an access_token.`, true, response.status);
  }
  const lifetimeMs = secondsOf(body['expires_in']);
  const expiresOn = secondsOf(body['expires_on']);
  const refreshIn = secondsOf(body['refresh_in']);
  const now = Date.now();
  const expiresAt = lifetimeMs !== undefined ? now + lifetimeMs : (expiresOn ?? now + UNKNOWN_LIFETIME_MS);
  if (expiresAt <= now)
    throw new LoginError(`${request.service} sent a token that has expired.`, true, response.status);
  return { token, expiresAt, ...(refreshIn !== undefined && { refreshAt: now + Math.max(refreshIn, MIN_REFRESH_MS) }) };
}

/** Milliseconds of a number of seconds, which some services write as a text. */
function secondsOf(value: unknown): number | undefined {
  const seconds = typeof value === 'number' ? value : typeof value === 'string' && value !== '' ? Number(value) : NaN;
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined;
}

/** OAuth's error codes that pass by themselves. */
const TRANSIENT_CODES: ReadonlySet<string> = new Set(['temporarily_unavailable', 'server_error', 'slow_down']);

function oauthRefusal({ service, secrets }: TokenRequest, { status, text }: TokenResponse): LoginError {
  const body = parseObject(text) ?? {};
  const code = nonEmptyString(body['error']);
  const words = [code, nonEmptyString(body['error_description'])].filter((part) => part !== undefined).join(': ');
  const clean = withoutSecrets(words, secrets);
  return new LoginError(
    `${service} refused the login with HTTP ${status}${clean === '' ? '.' : `: ${clean}`}`,
    code !== undefined && TRANSIENT_CODES.has(code),
    status,
    code === undefined ? undefined : withoutSecrets(code, secrets),
  );
}
