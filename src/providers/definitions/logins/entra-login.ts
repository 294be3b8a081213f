import type { CloudKey, CloudSettings, Connection, ConnectionInput } from '../types/connection.js';
import type { ProviderVariable } from '../definition.js';
import { parseUrl } from '../../../runtime/parse-url.js';
import { secureUrlFault } from './login-url.js';
import { type Values, valuesOf } from './login-variables.js';

interface Application {
  readonly tenantId: string;
  readonly clientId: string;
  /** Without a trailing slash. */
  readonly authority: string;
}

/** How a token of Microsoft Entra ID is had. */
export type EntraLogin = {
  /** The audience of the token: `https://cognitiveservices.azure.com/.default`. */
  readonly scope: string;
} & (
  | ({ readonly kind: 'client-secret'; readonly clientSecret: string } & Application)
  /** A PEM file with the certificate and its private key. */
  | ({ readonly kind: 'client-certificate'; readonly certificateFile: string } & Application)
  /** A token of another identity provider, such as Kubernetes, in a file that is renewed. */
  | ({ readonly kind: 'federated-token'; readonly tokenFile: string } & Application)
  /** The managed identity of App Service, Functions and Container Apps. */
  | {
      readonly kind: 'identity-endpoint';
      readonly endpoint: string;
      readonly identityHeader: string;
      readonly clientId?: string;
    }
  /** The managed identity of a virtual machine. The endpoint has no trailing slash. */
  | { readonly kind: 'instance'; readonly endpoint: string; readonly clientId?: string }
);

/** Keys of an entry that say how it logs in. */
export const ENTRA_KEYS = [
  'tenant_id',
  'client_id',
  'client_secret',
  'client_certificate_file',
  'federated_token_file',
  'managed_identity',
  'token_scope',
] as const satisfies readonly CloudKey[];

export const ENTRA_VARIABLES = {
  AZURE_TENANT_ID: {
    description: 'the tenant of the application, for a login with Microsoft Entra ID',
    example: '00000000-0000-0000-0000-000000000000',
  },
  AZURE_CLIENT_ID: {
    description: 'the id of the application or of the user-assigned identity',
    example: '00000000-0000-0000-0000-000000000000',
  },
  AZURE_CLIENT_SECRET: { description: 'a secret of the application', secret: true },
  AZURE_CLIENT_CERTIFICATE_PATH: {
    description: "a PEM file with the application's certificate and its RSA private key",
    example: '/run/secrets/azure.pem',
    form: 'path',
  },
  AZURE_FEDERATED_TOKEN_FILE: {
    description: 'a token of another identity provider, as AKS sets it; it is read at each login',
    example: '/var/run/secrets/azure/tokens/azure-identity-token',
    form: 'path',
  },
  AZURE_AUTHORITY_HOST: {
    description: 'where tokens of Microsoft Entra ID come from',
    without: 'that of the cloud in which the resource is',
    example: 'https://login.microsoftonline.com',
    form: 'URL',
  },
  AZURE_POD_IDENTITY_AUTHORITY_HOST: {
    description: "the address of a virtual machine's metadata service",
    default: 'http://169.254.169.254',
    form: 'URL',
  },
  IDENTITY_ENDPOINT: {
    description: 'the endpoint of the managed identity, as App Service and Container Apps set it',
    example: 'http://127.0.0.1:41741/msi/token',
    form: 'URL',
  },
  IDENTITY_HEADER: { description: 'the secret for that endpoint', secret: true },
} as const satisfies Readonly<Record<string, ProviderVariable>>;

/** The value of `managed_identity` for the identity that belongs to the machine; others are client ids. */
const SYSTEM_IDENTITY = 'system';
const INSTANCE_ENDPOINT = 'http://169.254.169.254';
const AZURE_HOST = /\.azure\.(com|us|cn)$/;
/** Scopes by the end of the resource's host. */
const CLOUDS = {
  com: { scope: 'https://cognitiveservices.azure.com/.default', authority: 'https://login.microsoftonline.com' },
  us: { scope: 'https://cognitiveservices.azure.us/.default', authority: 'https://login.microsoftonline.us' },
  cn: { scope: 'https://cognitiveservices.azure.cn/.default', authority: 'https://login.chinacloudapi.cn' },
} as const;

type Fault = Connection['faults'][number];
type Entry = ConnectionInput['entry'];
type Environment = Values<keyof typeof ENTRA_VARIABLES>;

/** The login of an entry; `entra` is undefined if there is none. */
export interface EntraConnection {
  readonly cloud: Pick<CloudSettings, 'entra'>;
  readonly faults: readonly Fault[];
}

/** Whether the entry itself says how to log in, so that the environment's API key is not for it. */
export function namesEntraLogin(entry: ConnectionInput['entry']): boolean {
  return ENTRA_KEYS.some((key) => entry[key] !== undefined);
}

/** Why an entry of a resource in Azure cannot be used, where it has neither a key nor a login. */
export function keyOrLoginFault(variable: string): Fault {
  return {
    key: 'api_key',
    message: `is required. Set it, or ${variable}, or log in with Microsoft Entra ID: tenant_id, client_id and client_secret, or managed_identity: system`,
  };
}

/**
 * How an entry without an API key logs in to Microsoft Entra ID: what the entry names, else what the environment of the process
 * has, in the order of Azure's own clients.
 *
 * @param baseUrl of the resource. The environment's login is for hosts of Azure, and for others only where the entry asks for it
 */
export function readEntraLogin(
  { entry, variable }: Pick<ConnectionInput, 'entry' | 'variable'>,
  baseUrl: string | undefined,
): EntraConnection {
  const env: Environment = valuesOf(ENTRA_VARIABLES, variable);
  const host = parseUrl(baseUrl ?? '')?.hostname;
  const end = AZURE_HOST.exec(host ?? '.azure.com')?.[1] as keyof typeof CLOUDS | undefined;
  if (end === undefined && !namesEntraLogin(entry)) return { cloud: {}, faults: [] };
  const defaults = CLOUDS[end ?? 'com'];
  const scope = entry.token_scope ?? defaults.scope;
  const found =
    managedByName(entry, env) ?? byApplication(entry, env, defaults.authority) ?? managedByEnvironment(entry, env);
  if (found === undefined && namesEntraLogin(entry)) {
    const message = 'is required, or client_certificate_file, federated_token_file or managed_identity';
    return { cloud: {}, faults: [{ key: 'client_secret', message }] };
  }
  if (found === undefined) return { cloud: {}, faults: [] };
  return Array.isArray(found) ? { cloud: {}, faults: found } : { cloud: { entra: { ...found, scope } }, faults: [] };
}

type WithoutScope<Of> = Of extends unknown ? Omit<Of, 'scope'> : never;
type Found = WithoutScope<EntraLogin>;

function managedByName(entry: Entry, env: Environment): Found | Fault[] | undefined {
  const named = entry.managed_identity;
  if (named === undefined) return undefined;
  const rival = (['client_secret', 'client_certificate_file', 'federated_token_file'] as const).find(
    (key) => entry[key] !== undefined,
  );
  if (rival !== undefined) return [{ key: 'managed_identity', message: `is set beside ${rival}. Set one of the two` }];
  const clientId = named === SYSTEM_IDENTITY ? {} : { clientId: named };
  const endpoint = env.AZURE_POD_IDENTITY_AUTHORITY_HOST ?? INSTANCE_ENDPOINT;
  return {
    ...(identityEndpoint(env) ?? { kind: 'instance', endpoint: endpoint.replace(/\/+$/, '') }),
    ...clientId,
  };
}

/** The platform announces its endpoint by two variables. */
function managedByEnvironment(entry: Entry, env: Environment): Found | undefined {
  const endpoint = identityEndpoint(env);
  const clientId = entry.client_id ?? env.AZURE_CLIENT_ID;
  return endpoint === undefined ? undefined : { ...endpoint, ...(clientId !== undefined && { clientId }) };
}

function identityEndpoint(env: Environment): Extract<Found, { kind: 'identity-endpoint' }> | undefined {
  const endpoint = env.IDENTITY_ENDPOINT;
  const identityHeader = env.IDENTITY_HEADER;
  if (endpoint === undefined || identityHeader === undefined) return undefined;
  return { kind: 'identity-endpoint', endpoint, identityHeader };
}

function byApplication(entry: Entry, env: Environment, defaultAuthority: string): Found | Fault[] | undefined {
  const proofs = [
    ['client_secret', 'AZURE_CLIENT_SECRET'],
    ['client_certificate_file', 'AZURE_CLIENT_CERTIFICATE_PATH'],
    ['federated_token_file', 'AZURE_FEDERATED_TOKEN_FILE'],
  ] as const;
  const [own, rival] = proofs.filter(([key]) => entry[key] !== undefined);
  if (own !== undefined && rival !== undefined) {
    return [{ key: rival[0], message: `is set beside ${own[0]}. Set one of the two` }];
  }
  const proof = own ?? proofs.find(([, name]) => env[name] !== undefined);
  if (proof === undefined) return undefined;
  const [key, name] = proof;
  const value = entry[key] ?? env[name] ?? '';
  const tenantId = entry.tenant_id ?? env.AZURE_TENANT_ID;
  const clientId = entry.client_id ?? env.AZURE_CLIENT_ID;
  const authority = (env.AZURE_AUTHORITY_HOST ?? defaultAuthority).replace(/\/+$/, '');
  const urlFault = secureUrlFault(authority);
  const source = own === undefined ? name : key;
  const faults: Fault[] = [
    ...missing(tenantId, 'tenant_id', 'AZURE_TENANT_ID', source),
    ...missing(clientId, 'client_id', 'AZURE_CLIENT_ID', source),
    ...(urlFault === undefined ? [] : [{ key, message: `is used with AZURE_AUTHORITY_HOST, which ${urlFault}` }]),
  ];
  if (tenantId === undefined || clientId === undefined || faults.length > 0) return faults;
  const application: Application = { tenantId, clientId, authority };
  switch (key) {
    case 'client_secret':
      return { kind: 'client-secret', clientSecret: value, ...application };
    case 'client_certificate_file':
      return { kind: 'client-certificate', certificateFile: value, ...application };
    case 'federated_token_file':
      return { kind: 'federated-token', tokenFile: value, ...application };
  }
}

function missing(value: string | undefined, key: 'tenant_id' | 'client_id', name: string, source: string): Fault[] {
  return value === undefined ? [{ key, message: `is required with ${source}. Set it, or ${name}` }] : [];
}
