import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionInput } from '../types/connection.js';
import type { ProviderVariable } from '../definition.js';

/** Where a login to Google Cloud is looked for when no credentials file is named. */
export interface GoogleLogin {
  /** The file of `gcloud auth application-default login`; it may be absent. */
  readonly wellKnownFile: string;
  /** The metadata server; without a trailing slash. */
  readonly metadataOrigin: string;
}

export const GOOGLE_LOGIN_VARIABLES = {
  GOOGLE_APPLICATION_CREDENTIALS: {
    description: 'a credentials file: a service account, a user of gcloud, or workload identity federation',
    without: "gcloud's login, or the machine's",
    example: '/run/secrets/vertex.json',
    form: 'path',
  },
  CLOUDSDK_CONFIG: {
    description: "gcloud's folder, in which `application_default_credentials.json` is looked for",
    without: '`~/.config/gcloud`',
    example: '/home/gateway/.config/gcloud',
    form: 'path',
  },
  GCE_METADATA_HOST: {
    description: "the host of Google's metadata server",
    default: '169.254.169.254',
    form: 'host',
  },
  GCE_METADATA_IP: {
    description: 'the same; it comes before `GCE_METADATA_HOST`',
    example: '169.254.169.254',
    form: 'host',
  },
} as const satisfies Readonly<Record<string, ProviderVariable>>;

const METADATA_ORIGIN = 'http://169.254.169.254';

/**
 * Stands for the project in the URLs of an entry that names none. The request gets the project of the login in its place. No
 * project has such a name, because project ids have no underscores.
 */
export const PROJECT_OF_LOGIN = '_project_of_login_';

/** Application Default Credentials, as Google's own clients have them. */
export function readGoogleLogin(variable: ConnectionInput['variable']): GoogleLogin {
  const folder =
    variable('CLOUDSDK_CONFIG') ??
    (process.platform === 'win32'
      ? join(homedir(), 'AppData', 'Roaming', 'gcloud')
      : join(homedir(), '.config', 'gcloud'));
  const host = variable('GCE_METADATA_IP') ?? variable('GCE_METADATA_HOST');
  const origin = host === undefined ? METADATA_ORIGIN : /^https?:\/\//.test(host) ? host : `http://${host}`;
  return {
    wellKnownFile: join(folder, 'application_default_credentials.json'),
    metadataOrigin: origin.replace(/\/+$/, ''),
  };
}
