import type { CloudSettings } from '../../../config/gateway-config.js';
import { type GoogleLogin, readGoogleLogin } from '../../definitions/logins/google-login.js';
import { requestAccessToken } from '../access-token.js';
import type { Authorize, AuthorizationHeaders } from '../authorize.js';
import { type Login, LoginCache } from '../login-cache.js';
import { LoginError } from '../login-error.js';
import { METADATA_TIMEOUT_MS, requestToken } from '../token-request.js';
import { fileProject, fileToken, readCredentialsFile } from './google-credentials.js';

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
const METADATA_SERVER = "Google's metadata server (there is no credentials file)";
const METADATA_HEADERS = { 'metadata-flavor': 'Google' };
/** Ids have lower case letters, digits and dashes; older ones a domain before a colon. */
const PROJECT_ID = /^[a-z\d][a-z\d.:-]{1,127}$/;

/**
 * An access token of the configured credentials file, otherwise of what the machine itself is logged in as (Application Default
 * Credentials: gcloud, or the metadata server of the cloud). It is renewed before it expires.
 */
export function googleToken({ credentialsFile, google = readGoogleLogin(() => undefined) }: CloudSettings): Authorize {
  const token = new LoginCache(() => logIn(credentialsFile, google));
  const project = new LoginCache(async () => ({
    value: await projectOf(credentialsFile, google),
    expiresAt: Infinity,
  }));
  return Object.assign(() => token.get(), {
    project: async () => project.get(),
    refused: (headers: AuthorizationHeaders) => token.replace(headers),
  });
}

async function logIn(named: string | undefined, google: GoogleLogin): Promise<Login<AuthorizationHeaders>> {
  const file = await readCredentialsFile(named, google);
  if (file !== undefined) {
    const { token, expiresAt, quotaProject } = await fileToken(file);
    const authorization = `Bearer ${token}`;
    const quota: AuthorizationHeaders = quotaProject === undefined ? {} : { 'x-goog-user-project': quotaProject };
    return { value: { authorization, ...quota }, expiresAt };
  }
  const { token, ...times } = await requestAccessToken({
    service: METADATA_SERVER,
    method: 'GET',
    url: metadataUrl(google, `instance/service-accounts/default/token?scopes=${encodeURIComponent(SCOPE)}`),
    headers: METADATA_HEADERS,
    timeoutMs: METADATA_TIMEOUT_MS,
  });
  return { value: { authorization: `Bearer ${token}` }, ...times };
}

async function projectOf(named: string | undefined, google: GoogleLogin): Promise<string> {
  const file = await readCredentialsFile(named, google);
  const project = file === undefined ? await machineProject(google) : await fileProject(file);
  if (!PROJECT_ID.test(project)) {
    throw new LoginError('The login to Google Cloud has a project id that cannot be read. Set project.', false);
  }
  return project;
}

async function machineProject(google: GoogleLogin): Promise<string> {
  const { status, text } = await requestToken({
    service: METADATA_SERVER,
    method: 'GET',
    url: metadataUrl(google, 'project/project-id'),
    headers: METADATA_HEADERS,
    timeoutMs: METADATA_TIMEOUT_MS,
  });
  if (status === 200) return text.trim();
  throw new LoginError(
    `${METADATA_SERVER} gave no project (HTTP ${status}). Set project, or GOOGLE_VERTEX_PROJECT.`,
    false,
    status,
  );
}

function metadataUrl({ metadataOrigin }: GoogleLogin, path: string): string {
  return `${metadataOrigin}/computeMetadata/v1/${path}`;
}
