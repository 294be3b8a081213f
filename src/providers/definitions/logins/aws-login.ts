import { homedir } from 'node:os';
import { join } from 'node:path';
import type { CloudKey, CloudSettings, Connection, ConnectionInput } from '../types/connection.js';
import type { ProviderVariable } from '../definition.js';
import { parseUrl } from '../../../runtime/parse-url.js';
import { secureUrlFault } from './login-url.js';
import { type Values, valuesOf } from './login-variables.js';

/** An access key, with the session token of a temporary one. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** A role to assume. */
export interface AwsRole {
  readonly arn: string;
  readonly sessionName: string;
  readonly externalId?: string;
  readonly durationSeconds?: number;
}

/** The endpoint that ECS and EKS Pod Identity give to a container. */
export interface AwsContainer {
  readonly url: string;
  /** Sent as `authorization`. A file is read at each login and comes first. */
  readonly token?: string;
  readonly tokenFile?: string;
}

/** One place where keys may be. */
export type AwsSource =
  | { readonly kind: 'keys'; readonly keys: AwsKeys }
  /** Paths of the shared files. A file that is not required may be absent. */
  | { readonly kind: 'profile'; readonly name: string; readonly isRequired: boolean }
  | { readonly kind: 'web-identity'; readonly role: AwsRole; readonly tokenFile: string }
  | { readonly kind: 'container'; readonly container: AwsContainer }
  /** EC2's metadata service; the endpoint has no trailing slash. */
  | { readonly kind: 'instance'; readonly endpoint: string };

/** What the sources and profiles refer to. */
export interface AwsEnvironment {
  readonly configFile: string;
  readonly credentialsFile: string;
  readonly stsEndpoint: string;
  /** Credentials of the environment, for profiles that take theirs from it. */
  readonly keys?: AwsKeys;
  readonly container?: AwsContainer;
  /** Absent where AWS_EC2_METADATA_DISABLED is set. */
  readonly instanceEndpoint?: string;
}

/** How AWS keys are found. */
export interface AwsLogin {
  /** The sources in their order. The next one is asked only if a source has no keys. */
  readonly sources: readonly AwsSource[];
  /** Assumed with the keys of the sources. */
  readonly role?: AwsRole;
  readonly environment: AwsEnvironment;
}

/** Keys of an entry that choose a login other than by an access key. */
export const AWS_LOGIN_KEYS = ['profile', 'role_arn', 'web_identity_token_file'] as const satisfies readonly CloudKey[];

export const AWS_LOGIN_VARIABLES = {
  AWS_ACCESS_KEY_ID: { description: 'the id of the access key', secret: true },
  AWS_SECRET_ACCESS_KEY: { description: 'the secret of the access key', secret: true },
  AWS_SESSION_TOKEN: { description: 'the session token of a temporary access key', secret: true },
  AWS_PROFILE: {
    description: "a profile of AWS's shared files, where no access key is set",
    without: '`default`, where the files have it',
    example: 'production',
  },
  AWS_SHARED_CREDENTIALS_FILE: {
    description: "AWS's shared credentials file",
    without: '`~/.aws/credentials`',
    example: '/run/secrets/aws-credentials',
    form: 'path',
  },
  AWS_CONFIG_FILE: {
    description: "AWS's shared configuration file",
    without: '`~/.aws/config`',
    example: '/etc/aws/config',
    form: 'path',
  },
  AWS_WEB_IDENTITY_TOKEN_FILE: {
    description: 'a token of an identity provider, as EKS sets it; it is read at each login',
    example: '/var/run/secrets/eks.amazonaws.com/serviceaccount/token',
    form: 'path',
  },
  AWS_ROLE_ARN: {
    description: 'the role that the web identity assumes',
    example: 'arn:aws:iam::123456789012:role/bedrock',
    form: 'ARN',
  },
  AWS_ROLE_SESSION_NAME: { description: 'the name of the session of an assumed role', default: 'llm-gateway' },
  AWS_ENDPOINT_URL_STS: {
    description: 'the address of the Security Token Service',
    without: 'that of the region',
    example: 'https://sts.eu-west-1.amazonaws.com',
    form: 'URL',
  },
  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: {
    description: "where the container's credentials are, as ECS sets it",
    example: '/v2/credentials/0f1e2d3c',
    form: 'path and query',
  },
  AWS_CONTAINER_CREDENTIALS_FULL_URI: {
    description: 'the same as a whole URL, as EKS Pod Identity sets it',
    example: 'http://169.254.170.23/v1/credentials',
    form: 'URL',
  },
  AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: {
    description: 'the token for that address; it is read at each login',
    without: '`AWS_CONTAINER_AUTHORIZATION_TOKEN`',
    example: '/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token',
    form: 'path',
  },
  AWS_CONTAINER_AUTHORIZATION_TOKEN: { description: 'the token for that address', secret: true },
  AWS_EC2_METADATA_DISABLED: {
    description: "`true` leaves out the machine's role",
    default: 'false',
    form: '`true` or `false`',
  },
  AWS_EC2_METADATA_SERVICE_ENDPOINT: {
    description: "the address of EC2's metadata service",
    default: 'http://169.254.169.254',
    form: 'URL',
  },
  AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: {
    description: 'by which protocol that service is reached',
    default: 'IPv4',
    form: '`IPv4` or `IPv6`',
  },
} as const satisfies Readonly<Record<string, ProviderVariable>>;

type Environment = Values<keyof typeof AWS_LOGIN_VARIABLES>;

/** The name of the gateway's sessions in CloudTrail. */
export const DEFAULT_SESSION_NAME = 'llm-gateway';
const CONTAINER_ORIGIN = 'http://169.254.170.2';
const INSTANCE_ENDPOINTS = { IPv4: 'http://169.254.169.254', IPv6: 'http://[fd00:ec2::254]' } as const;
/** Besides loopback, the hosts to which AWS's SDKs send the token of a container without TLS: ECS, and EKS Pod Identity. */
const CONTAINER_HOSTS: readonly string[] = ['169.254.170.2', '169.254.170.23', '[fd00:ec2::23]'];

type Fault = Connection['faults'][number];

interface AwsConnection {
  readonly cloud: Pick<CloudSettings, 'accessKeyId' | 'secretAccessKey' | 'sessionToken' | 'aws'>;
  readonly faults: readonly Fault[];
}

/** The end of the names of AWS's hosts in a region. */
export function awsDomainOf(region: string): string {
  if (region.startsWith('cn-')) return 'amazonaws.com.cn';
  if (region.startsWith('eusc-')) return 'amazonaws.eu';
  if (region.startsWith('us-iso-')) return 'c2s.ic.gov';
  if (region.startsWith('us-isob-')) return 'sc2s.sgov.gov';
  return 'amazonaws.com';
}

/**
 * How an entry without an API key logs in to AWS. What the entry names comes first; else the environment in the order of AWS's
 * own tools: access key, AWS_PROFILE, web identity, the profile `default`, container, machine.
 */
export function readAwsLogin({ entry, variable }: Input, region: string): AwsConnection {
  const { AWS_CONTAINER_AUTHORIZATION_TOKEN: token, ...eager } = AWS_LOGIN_VARIABLES;
  const values: Environment = valuesOf(eager, variable);
  // Where NAME_FILE is set, NAME would be read from that file here, once, and the platform renews the file.
  const env =
    values.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE === undefined
      ? { ...values, ...valuesOf({ AWS_CONTAINER_AUTHORIZATION_TOKEN: token }, variable) }
      : values;
  const faults: Fault[] = rivalFaults(entry);
  const found = keysOf(entry, env);
  if (found === 'incomplete') {
    const message =
      'is required, or access_key_id and secret_access_key together. They may also come from AWS_BEARER_TOKEN_BEDROCK, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
    return { cloud: {}, faults: [...faults, { key: 'api_key', message }] };
  }
  const environment = environmentOf(env, region, faults);
  const sources = sourcesOf(entry, env, found, environment, faults);
  const isRoleOfToken = sources.some((source) => source.kind === 'web-identity' && source.role.arn === entry.role_arn);
  const role = entry.role_arn === undefined || isRoleOfToken ? undefined : roleOf(entry.role_arn, env);
  return {
    cloud: { ...found, aws: { sources, environment, ...(role !== undefined && { role }) } },
    faults,
  };
}

type Input = Pick<ConnectionInput, 'entry' | 'variable'>;
type Entry = ConnectionInput['entry'];

/** Two settings that each choose how to log in. */
function rivalFaults(entry: Entry): Fault[] {
  const [first, second] = (['access_key_id', 'profile', 'web_identity_token_file'] as const).filter(
    (key) => entry[key] !== undefined,
  );
  if (first === undefined || second === undefined) return [];
  return [{ key: second, message: `is set beside ${first}. Set one of the two` }];
}

/** The access key of the entry; else that of the environment, where the entry names no other login. */
function keysOf(entry: Entry, env: Environment): AwsKeys | 'incomplete' | undefined {
  const isOwn = entry.access_key_id !== undefined || entry.secret_access_key !== undefined;
  if (!isOwn && (entry.profile !== undefined || entry.web_identity_token_file !== undefined)) return undefined;
  const accessKeyId = entry.access_key_id ?? env.AWS_ACCESS_KEY_ID;
  const secretAccessKey = entry.secret_access_key ?? env.AWS_SECRET_ACCESS_KEY;
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined;
  if (accessKeyId === undefined || secretAccessKey === undefined) return 'incomplete';
  // A session token belongs to the keys that it came with.
  const sessionToken = entry.session_token ?? (isOwn ? undefined : env.AWS_SESSION_TOKEN);
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
}

function sourcesOf(
  entry: Entry,
  env: Environment,
  keys: AwsKeys | undefined,
  { container, instanceEndpoint }: AwsEnvironment,
  faults: Fault[],
): AwsSource[] {
  if (keys !== undefined) return [{ kind: 'keys', keys }];
  const profile = entry.profile ?? (entry.web_identity_token_file === undefined ? env.AWS_PROFILE : undefined);
  if (profile !== undefined) return [{ kind: 'profile', name: profile, isRequired: true }];
  const tokenFile = entry.web_identity_token_file ?? env.AWS_WEB_IDENTITY_TOKEN_FILE;
  if (tokenFile !== undefined) {
    const isOwn = entry.web_identity_token_file !== undefined;
    const arn = (isOwn ? entry.role_arn : undefined) ?? env.AWS_ROLE_ARN ?? entry.role_arn;
    if (arn !== undefined) return [{ kind: 'web-identity', role: roleOf(arn, env), tokenFile }];
    const name = isOwn ? 'web_identity_token_file' : 'AWS_WEB_IDENTITY_TOKEN_FILE';
    faults.push({ key: 'role_arn', message: `is required with ${name}. Set it, or AWS_ROLE_ARN` });
    return [];
  }
  return [
    { kind: 'profile', name: 'default', isRequired: false },
    ...(container !== undefined ? [{ kind: 'container', container } as const] : []),
    ...(container === undefined && instanceEndpoint !== undefined
      ? [{ kind: 'instance', endpoint: instanceEndpoint } as const]
      : []),
  ];
}

function roleOf(arn: string, { AWS_ROLE_SESSION_NAME: sessionName = DEFAULT_SESSION_NAME }: Environment): AwsRole {
  return { arn, sessionName };
}

function environmentOf(env: Environment, region: string, faults: Fault[]): AwsEnvironment {
  const keys = keysOf({}, env);
  const container = containerOf(env, faults);
  const stsEndpoint = env.AWS_ENDPOINT_URL_STS ?? `https://sts.${region}.${awsDomainOf(region)}`;
  const stsFault = secureUrlFault(stsEndpoint);
  if (stsFault !== undefined) {
    faults.push({ key: 'region', message: `is used with AWS_ENDPOINT_URL_STS, which ${stsFault}` });
  }
  const mode = env.AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE?.toLowerCase() === 'ipv6' ? 'IPv6' : 'IPv4';
  const instance = env.AWS_EC2_METADATA_SERVICE_ENDPOINT ?? INSTANCE_ENDPOINTS[mode];
  const isDisabled = env.AWS_EC2_METADATA_DISABLED?.toLowerCase() === 'true';
  return {
    configFile: env.AWS_CONFIG_FILE ?? join(homedir(), '.aws', 'config'),
    credentialsFile: env.AWS_SHARED_CREDENTIALS_FILE ?? join(homedir(), '.aws', 'credentials'),
    stsEndpoint,
    ...(keys !== undefined && keys !== 'incomplete' && { keys }),
    ...(container !== undefined && { container }),
    ...(!isDisabled && { instanceEndpoint: instance.replace(/\/+$/, '') }),
  };
}

function containerOf(env: Environment, faults: Fault[]): AwsContainer | undefined {
  const relative = env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI;
  const full = env.AWS_CONTAINER_CREDENTIALS_FULL_URI;
  if (relative === undefined && full === undefined) return undefined;
  const url = relative === undefined ? (full ?? '') : `${CONTAINER_ORIGIN}/${relative.replace(/^\/+/, '')}`;
  const fault = CONTAINER_HOSTS.includes(parseUrl(url)?.hostname ?? '') ? undefined : secureUrlFault(url);
  if (fault !== undefined) {
    const message = `is not set, and AWS_CONTAINER_CREDENTIALS_FULL_URI, which stands for it, ${fault}`;
    faults.push({ key: 'api_key', message });
  }
  const { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile, AWS_CONTAINER_AUTHORIZATION_TOKEN: token } = env;
  return { url, ...(tokenFile !== undefined && { tokenFile }), ...(token !== undefined && { token }) };
}
