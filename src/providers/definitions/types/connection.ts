import type { AwsLogin } from '../logins/aws-login.js';
import type { EntraLogin } from '../logins/entra-login.js';
import type { GoogleLogin } from '../logins/google-login.js';
import type { BatchStorage } from '../storage/batch-storage.js';

/** Settings of clouds beside a key and an address; each only for the types that have it. */
export interface CloudSettings {
  /** Bedrock: the AWS region. Vertex AI: the location, `global` by default. */
  readonly region?: string;
  /** Vertex AI: the Google Cloud project. */
  readonly project?: string;
  /** Google Cloud: path of a file with credentials; without it, what the machine is logged in as. */
  readonly credentialsFile?: string;
  readonly google?: GoogleLogin;
  /** AWS, where there is no API key and the keys are those of the entry or of the environment. */
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
  /** AWS, where there is no API key. */
  readonly aws?: AwsLogin;
  /** Azure, where there is no API key. */
  readonly entra?: EntraLogin;
  /** Bedrock and Vertex AI: where the files of batches are. */
  readonly batchStorage?: BatchStorage;
  /** Azure: `v1` by default; a dated version uses the addresses of deployments. */
  readonly apiVersion?: string;
}

/** Keys of an entry under `providers:` that only clouds have. */
export const CLOUD_KEYS = [
  'region',
  'project',
  'credentials_file',
  'resource_name',
  'api_version',
  'access_key_id',
  'secret_access_key',
  'session_token',
  'profile',
  'role_arn',
  'web_identity_token_file',
  'tenant_id',
  'client_id',
  'client_secret',
  'client_certificate_file',
  'federated_token_file',
  'managed_identity',
  'token_scope',
  'batch_location',
  'batch_storage_endpoint',
  'batch_role_arn',
] as const;
export type CloudKey = (typeof CLOUD_KEYS)[number];

/** The address and the credentials of a provider in its entry and in the environment. */
export interface ConnectionInput {
  readonly entry: Readonly<Partial<Record<CloudKey, string>>>;
  /** Values of the provider's entry in the file. */
  readonly apiKey: string | undefined;
  readonly baseUrl: string | undefined;
  /** Reads an environment variable; undefined where it is unset or empty. */
  readonly variable: (name: string) => string | undefined;
}

/** What the gateway reads of an entry of this type and of the environment. */
export interface Connection {
  readonly apiKey: string | undefined;
  readonly baseUrl: string | undefined;
  readonly cloud: CloudSettings;
  /** The missing settings, by their keys in the entry. */
  readonly faults: readonly { readonly key: CloudKey | 'api_key'; readonly message: string }[];
}

/** The parts of the URL of an operation beside chat. */
export interface OperationTarget {
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly cloud?: CloudSettings | undefined;
}
