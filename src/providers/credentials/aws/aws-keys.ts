import { nonEmptyString } from '../../../runtime/json-value.js';
import type { AwsKeys } from '../../definitions/logins/aws-login.js';
import type { Login } from '../login-cache.js';
import { LoginError } from '../login-error.js';

/** Temporary keys without a date are asked for again after so long. */
const UNDATED_REFRESH_MS = 300_000;

/** What services call the members of a set of keys; all have the date as `Expiration`. */
export interface KeyNames {
  readonly id: string;
  readonly secret: string;
  readonly token: string;
}

/**
 * Keys as a service or a program returns them.
 *
 * @param service as errors name it
 * @throws LoginError where one is missing, the date cannot be read, or the keys have expired
 */
export function readKeys(
  service: string,
  values: Readonly<Record<string, unknown>>,
  { id, secret, token }: KeyNames,
): Login<AwsKeys> {
  const accessKeyId = nonEmptyString(values[id]);
  const secretAccessKey = nonEmptyString(values[secret]);
  const sessionToken = nonEmptyString(values[token]);
  const expiration = values['Expiration'] ?? undefined;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new LoginError(`${service} sent no ${accessKeyId === undefined ? id : secret}.`, true);
  }
  const value = { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
  const now = Date.now();
  if (expiration === undefined) return { value, expiresAt: Infinity, refreshAt: now + UNDATED_REFRESH_MS };
  const expiresAt = typeof expiration === 'string' ? Date.parse(expiration) : NaN;
  if (Number.isNaN(expiresAt)) throw new LoginError(`${service} sent an Expiration that is not a date.`, true);
  if (expiresAt <= now) throw new LoginError(`${service} sent keys that have expired.`, true);
  return { value, expiresAt };
}
