import { readFile } from 'node:fs/promises';
import type { AuthClient } from 'google-auth-library';
import type { GoogleLogin } from '../../definitions/logins/google-login.js';
import { isObject, type JsonObject, nonEmptyString } from '../../../runtime/json-value.js';
import { LoginError } from '../login-error.js';
import { parseObject, TOKEN_TIMEOUT_MS, withoutSecrets } from '../token-request.js';

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
/** Where the library sends every service account and user, also those whose file names another place. */
const LIBRARY_TOKEN_URL = 'https://oauth2.googleapis.com/token';
/** Of a whole login with all its requests: the library has requests without a timeout of their own. */
const LOGIN_TIMEOUT_MS = 20_000;
/** A token of which the library does not know how long it lives is used for so long. */
const UNKNOWN_LIFETIME_MS = 300_000;
/** Members of a credentials file that must not appear in an error. */
const SECRET_MEMBERS = ['private_key', 'client_secret', 'refresh_token'] as const;
/** What the types of files must have, as far as the library's own words for it are unclear. */
const REQUIRED_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  service_account: ['client_email', 'private_key'],
  authorized_user: ['client_id', 'client_secret', 'refresh_token'],
  external_account: ['audience', 'subject_token_type', 'token_url'],
};
/** A file cannot be read. */
const FILE_CODES: readonly string[] = ['ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR'];
/** The project in the address of a service account. */
const PROJECT_OF_ACCOUNT = /@([a-z][a-z\d-]+)\.iam\.gserviceaccount\.com/;

/** A file of Application Default Credentials: service account, user, workload identity federation and the like. */
export interface CredentialsFile {
  readonly path: string;
  readonly json: JsonObject;
}

/** A token by the library. Times in epoch milliseconds. */
export interface GoogleToken {
  readonly token: string;
  readonly expiresAt: number;
  /** The project that is charged for the quota; of users. */
  readonly quotaProject: string | undefined;
}

/**
 * The named file, otherwise that of gcloud where there is one.
 *
 * @throws LoginError where a file is there and cannot be used; never with its content
 */
export async function readCredentialsFile(
  named: string | undefined,
  { wellKnownFile }: GoogleLogin,
): Promise<CredentialsFile | undefined> {
  const path = named ?? wellKnownFile;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    if (named === undefined && (code === 'ENOENT' || code === 'ENOTDIR')) return undefined;
    throw new LoginError(`The Google credentials file ${path} cannot be read (${code}).`, false);
  }
  const json = parseObject(text);
  if (json === undefined) throw new LoginError(`The Google credentials file ${path} is not a JSON object.`, false);
  const type = nonEmptyString(json['type']);
  if (type === undefined) {
    throw new LoginError(`The Google credentials file ${path} has no type, such as service_account.`, false);
  }
  const missing = REQUIRED_MEMBERS[type]?.find((member) => nonEmptyString(json[member]) === undefined);
  if (missing !== undefined) throw new LoginError(`The Google credentials file ${path} has no ${missing}.`, false);
  return { path, json };
}

/**
 * A token by a credentials file, from Google's library, which knows all their types. It is loaded here, at the first login.
 *
 * @throws LoginError
 */
export async function fileToken(file: CredentialsFile): Promise<GoogleToken> {
  return byLibrary(file, async (client) => {
    const { token } = await client.getAccessToken();
    if (token === null || token === undefined || token === '' || /[^\x21-\x7e]/.test(token)) {
      throw new LoginError("Google's token service sent a response without an access token.", true);
    }
    const expiresAt = client.credentials.expiry_date ?? Date.now() + UNKNOWN_LIFETIME_MS;
    return { token, expiresAt, quotaProject: client.quotaProjectId };
  });
}

/** The project that a credentials file belongs to. @throws LoginError where it names none */
export async function fileProject(file: CredentialsFile): Promise<string> {
  const { json, path } = file;
  const named = nonEmptyString(json['project_id']) ?? nonEmptyString(json['quota_project_id']);
  const impersonated = PROJECT_OF_ACCOUNT.exec(nonEmptyString(json['service_account_impersonation_url']) ?? '')?.[1];
  const project = named ?? impersonated ?? (await projectOfPool(file));
  if (project === undefined) {
    throw new LoginError(
      `The Google credentials file ${path} names no project. Set project, or GOOGLE_VERTEX_PROJECT.`,
      false,
    );
  }
  return project;
}

/** A pool of workload identities has the number of its project; Google's API returns the id. */
async function projectOfPool(file: CredentialsFile): Promise<string | undefined> {
  if (file.json['type'] !== 'external_account') return undefined;
  return byLibrary(file, async (client) => {
    const project = 'getProjectId' in client ? await (client as AuthClient & ProjectOwner).getProjectId() : undefined;
    return nonEmptyString(project);
  });
}

interface ProjectOwner {
  getProjectId(): Promise<unknown>;
}

async function byLibrary<Result>(file: CredentialsFile, use: (client: AuthClient) => Promise<Result>): Promise<Result> {
  const { GoogleAuth } = await import('google-auth-library');
  let timer: NodeJS.Timeout | undefined;
  try {
    const clientOptions = { transporterOptions: { timeout: TOKEN_TIMEOUT_MS } };
    const client = await new GoogleAuth({ scopes: [SCOPE], keyFilename: file.path, clientOptions }).getClient();
    useTokenUrlOf(file, client);
    const timeout = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new LoginError("Google's token service did not respond in time.", true));
      }, LOGIN_TIMEOUT_MS);
    });
    return await Promise.race([use(client), timeout]);
  } catch (error) {
    throw error instanceof LoginError ? error : libraryError(error, file);
  } finally {
    clearTimeout(timer);
  }
}

/** A file may name the token endpoint, as Google's other libraries read it. */
function useTokenUrlOf({ json }: CredentialsFile, { transporter }: AuthClient): void {
  const url = nonEmptyString(json['token_uri']);
  if (url === undefined || url === LIBRARY_TOKEN_URL) return;
  transporter.interceptors.request.add({
    resolved: (config) => {
      if (String(config.url) === LIBRARY_TOKEN_URL) config.url = new URL(url);
      return Promise.resolve(config);
    },
  });
}

/** The file of the token that is exchanged, of workload identity federation. */
function subjectFileOf(json: JsonObject): string {
  const source = isObject(json['credential_source']) ? json['credential_source'] : {};
  return nonEmptyString(source['file']) ?? 'of the subject token';
}

/** Errors of the library may contain the file and the response, so only a few members are read. */
function libraryError(error: unknown, { json, path }: CredentialsFile): LoginError {
  const {
    status,
    response,
    code,
    name,
    path: filePath,
  } = error as {
    readonly status?: unknown;
    readonly response?: { readonly status?: unknown; readonly data?: unknown };
    readonly code?: unknown;
    readonly name?: unknown;
    readonly path?: unknown;
  };
  const httpStatus = [response?.status, status].find((value) => typeof value === 'number');
  const ownCode = typeof code === 'string' ? code : undefined;
  const secrets = SECRET_MEMBERS.map((member) => nonEmptyString(json[member]));
  if (httpStatus !== undefined) {
    const data = isObject(response?.data) ? response.data : {};
    const inner = isObject(data['error'])
      ? data['error']
      : { status: data['error'], message: data['error_description'] };
    const errorCode = nonEmptyString(inner['status']);
    const words = [errorCode, nonEmptyString(inner['message'])].filter((part) => part !== undefined).join(': ');
    const clean = withoutSecrets(words, secrets);
    const isTransient = httpStatus >= 500 || httpStatus === 429 || httpStatus === 408;
    const text = `Google's token service refused the login of ${path} with HTTP ${httpStatus}`;
    return new LoginError(`${text}${clean === '' ? '.' : `: ${clean}`}`, isTransient, httpStatus, errorCode);
  }
  if (ownCode !== undefined && FILE_CODES.includes(ownCode)) {
    const named = typeof filePath === 'string' ? filePath : subjectFileOf(json);
    return new LoginError(
      `The file ${named}, which ${path} names, cannot be read (${ownCode}).`,
      false,
      undefined,
      ownCode,
    );
  }
  const isTimeout = name === 'TimeoutError' || name === 'AbortError';
  if (isTimeout || (ownCode !== undefined && /^(?:E[A-Z]+|UND_ERR_\w+)$/.test(ownCode))) {
    const reason = isTimeout ? 'it did not respond in time' : ownCode;
    return new LoginError(`Google's token service cannot be reached for ${path}: ${reason}.`, true, undefined, ownCode);
  }
  // The library trips over a response that is not what it expects, and its message quotes the response.
  if (error instanceof SyntaxError || error instanceof TypeError) {
    return new LoginError(`Google's token service sent a response for ${path} that cannot be read.`, true);
  }
  return new LoginError(`The login of ${path} to Google Cloud failed: ${String(name)}.`, false, undefined, ownCode);
}
