import { baseUrlFault } from './base-url.js';
import type { ProviderEnvironment } from './environment.js';
import type { CloudSettings, NativeProviderType, ProviderConfig, Quirks } from './gateway-config.js';
import { KNOWN_PROVIDERS, knownProvider, knownQuirksAt, LOCAL_SERVERS } from './known-providers.js';
import { NATIVE_PROVIDER_TYPES, type ProviderFile } from './settings/providers.js';
import type { ReadVariable } from './settings/variables.js';

export interface ReadProvider {
  /** Undefined when the entry does not say where the provider is. */
  readonly config: ProviderConfig | undefined;
  readonly faults: readonly { readonly key: keyof ProviderFile; readonly message: string }[];
}

type Fault = ReadProvider['faults'][number];

/** An entry's settings as far as a type has them, those of the environment under those of the file. */
interface NativeSettings {
  readonly apiKey: string | undefined;
  readonly baseUrl: string | undefined;
  readonly cloud: CloudSettings;
  readonly faults: readonly Fault[];
}

const CLOUD_KEYS = [
  'region',
  'project',
  'credentials_file',
  'resource_name',
  'api_version',
  'access_key_id',
  'secret_access_key',
  'session_token',
] as const satisfies readonly (keyof ProviderFile)[];
const KEYS_OF: Readonly<Partial<Record<NativeProviderType, readonly (keyof ProviderFile)[]>>> = {
  vertex: ['region', 'project', 'credentials_file'],
  bedrock: ['region', 'access_key_id', 'secret_access_key', 'session_token'],
  azure: ['resource_name', 'api_version'],
};

/** One entry under `providers:`. */
export function readProvider(name: string, entry: ProviderFile, environment: ProviderEnvironment): ReadProvider {
  const known = knownProvider(name);
  const local = LOCAL_SERVERS.find((server) => server.name === name);
  const fromEnvironment = environment.providers.find((provider) => provider.name === name);
  const type = entry.type ?? known?.type ?? nativeType(name) ?? 'openai';
  const own = { apiKey: entry.api_key ?? fromEnvironment?.apiKey, baseUrl: entry.base_url ?? fromEnvironment?.baseUrl };
  const {
    apiKey,
    baseUrl,
    cloud,
    faults: missing,
  } = type === 'openai'
    ? { ...own, baseUrl: own.baseUrl ?? known?.baseUrl ?? local?.baseUrl, cloud: undefined, faults: [] }
    : readNative(type, entry, own, environment.variable);
  const faults: Fault[] = [...foreignKeys(type, entry), ...missing];
  if (entry.quirks !== undefined && type !== 'openai') {
    faults.push({ key: 'quirks', message: `are for type openai alone, not for type ${type}` });
  }
  if (baseUrl === undefined) {
    if (faults.length === 0)
      faults.push({ key: 'base_url', message: 'is required, such as http://127.0.0.1:11434/v1' });
    return { config: undefined, faults };
  }
  const fault = baseUrlFault(baseUrl);
  if (fault !== undefined) faults.push({ key: 'base_url', message: fault });
  return {
    config: {
      name,
      type,
      baseUrl: baseUrl.replace(/\/+$/, ''),
      apiKey,
      headers: Object.fromEntries(
        Object.entries(entry.headers ?? {}).map(([header, value]) => [header.toLowerCase(), value]),
      ),
      listModels: entry.list_models ?? true,
      ...(type === 'openai' && { quirks: quirksOf(entry, baseUrl, local?.quirks ?? quirksByName(name)) }),
      ...(cloud !== undefined && { cloud }),
    },
    faults,
  };
}

/** Those of the server at that address, or of the local server of that name, under what the entry says itself. */
function quirksOf({ quirks }: ProviderFile, baseUrl: string, ofName: Quirks | undefined): Quirks {
  const {
    token_limit: tokenLimit,
    developer_role: developerRole,
    stream_options: streamOptions,
    accepts,
    embeddings,
    rerank,
  } = quirks ?? {};
  return {
    ...(knownQuirksAt(baseUrl) ?? ofName),
    ...(tokenLimit !== undefined && { tokenLimit }),
    ...(developerRole !== undefined && { developerRole }),
    ...(streamOptions !== undefined && { streamOptions }),
    ...(accepts !== undefined && { accepts }),
    ...(embeddings !== undefined && { embeddings }),
    ...(rerank !== undefined && { rerank }),
  };
}

/** A provider that has a known one's name and another address is that one behind a proxy; `openai` may be any server. */
function quirksByName(name: string): Quirks | undefined {
  const quirks = knownProvider(name)?.quirks;
  return name === 'openai' && quirks?.accepts !== undefined ? { accepts: quirks.accepts } : quirks;
}

/** A name that is a type means it, unless everybody reaches that provider through OpenAI's format. */
function nativeType(name: string): NativeProviderType | undefined {
  if (knownProvider(name) !== undefined) return undefined;
  return NATIVE_PROVIDER_TYPES.find((type) => type === name);
}

function foreignKeys(type: ProviderConfig['type'], entry: ProviderFile): Fault[] {
  const taken = type === 'openai' || type === 'sandbox' ? undefined : KEYS_OF[type];
  return CLOUD_KEYS.filter((key) => entry[key] !== undefined && taken?.includes(key) !== true).map((key) => {
    const types = NATIVE_PROVIDER_TYPES.filter((each) => KEYS_OF[each]?.includes(key) === true);
    return { key, message: `is for ${types.join(' and ')} alone, not for type ${type}` };
  });
}

function readNative(
  type: NativeProviderType,
  entry: ProviderFile,
  own: { apiKey: string | undefined; baseUrl: string | undefined },
  variable: ReadVariable,
): NativeSettings {
  switch (type) {
    case 'bedrock':
      return readBedrock(entry, own, variable);
    case 'vertex':
      return readVertex(entry, own, variable);
    case 'azure':
      return readAzure(entry, own, variable);
    default: {
      const known = KNOWN_PROVIDERS.find((provider) => provider.type === type || provider.name === type);
      const keyVariable = known?.keyVariable;
      // A key of the environment goes to the address that it is for, and to no other.
      const mayUseVariable = keyVariable !== undefined && own.baseUrl === undefined;
      const apiKey = own.apiKey ?? (mayUseVariable ? variable(keyVariable) : undefined);
      return {
        apiKey,
        baseUrl: own.baseUrl ?? known?.baseUrl,
        cloud: {},
        faults:
          apiKey === undefined
            ? [{ key: 'api_key', message: `is required. Set it, or ${keyVariable ?? 'its variable'}` }]
            : [],
      };
    }
  }
}

function readBedrock(
  entry: ProviderFile,
  own: { apiKey: string | undefined; baseUrl: string | undefined },
  variable: ReadVariable,
): NativeSettings {
  const faults: Fault[] = [];
  const region = entry.region ?? variable('AWS_REGION') ?? variable('AWS_DEFAULT_REGION');
  const namesKeys = entry.access_key_id !== undefined || entry.secret_access_key !== undefined;
  const apiKey = own.apiKey ?? (namesKeys ? undefined : variable('AWS_BEARER_TOKEN_BEDROCK'));
  const accessKeyId = entry.access_key_id ?? variable('AWS_ACCESS_KEY_ID');
  const secretAccessKey = entry.secret_access_key ?? variable('AWS_SECRET_ACCESS_KEY');
  // A session token belongs to the keys that it came with.
  const sessionToken = entry.session_token ?? (namesKeys ? undefined : variable('AWS_SESSION_TOKEN'));
  if (region === undefined)
    faults.push({ key: 'region', message: 'is required, such as us-east-1. Set it, or AWS_REGION' });
  if (apiKey === undefined && (accessKeyId === undefined || secretAccessKey === undefined)) {
    faults.push({
      key: 'api_key',
      message:
        'is required, or access_key_id and secret_access_key. They may also come from AWS_BEARER_TOKEN_BEDROCK, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    });
  }
  const suffix = region?.startsWith('cn-') === true ? 'amazonaws.com.cn' : 'amazonaws.com';
  return {
    apiKey,
    baseUrl: own.baseUrl ?? (region === undefined ? undefined : `https://bedrock-runtime.${region}.${suffix}`),
    cloud: {
      ...(region !== undefined && { region }),
      ...(apiKey === undefined &&
        accessKeyId !== undefined &&
        secretAccessKey !== undefined && {
          accessKeyId,
          secretAccessKey,
          ...(sessionToken !== undefined && { sessionToken }),
        }),
    },
    faults,
  };
}

function readVertex(
  entry: ProviderFile,
  own: { apiKey: string | undefined; baseUrl: string | undefined },
  variable: ReadVariable,
): NativeSettings {
  const faults: Fault[] = [];
  const project = entry.project ?? variable('GOOGLE_VERTEX_PROJECT') ?? variable('GOOGLE_CLOUD_PROJECT');
  const region = entry.region ?? variable('GOOGLE_VERTEX_LOCATION') ?? 'global';
  const apiKey = own.apiKey ?? (entry.project === undefined ? variable('GOOGLE_VERTEX_API_KEY') : undefined);
  const credentialsFile = entry.credentials_file ?? variable('GOOGLE_APPLICATION_CREDENTIALS');
  if (project === undefined && apiKey === undefined) {
    faults.push({ key: 'project', message: 'is required. Set it, or GOOGLE_VERTEX_PROJECT; or use an api_key' });
  }
  return {
    apiKey,
    baseUrl: own.baseUrl ?? `https://${vertexHost(apiKey === undefined ? region : 'global')}`,
    cloud: {
      region,
      ...(project !== undefined && { project }),
      ...(credentialsFile !== undefined && { credentialsFile }),
    },
    faults,
  };
}

function vertexHost(region: string): string {
  if (region === 'global') return 'aiplatform.googleapis.com';
  if (region === 'eu' || region === 'us') return `aiplatform.${region}.rep.googleapis.com`;
  return `${region}-aiplatform.googleapis.com`;
}

function readAzure(
  entry: ProviderFile,
  own: { apiKey: string | undefined; baseUrl: string | undefined },
  variable: ReadVariable,
): NativeSettings {
  const faults: Fault[] = [];
  const resource = entry.resource_name ?? variable('AZURE_RESOURCE_NAME');
  const apiKey =
    own.apiKey ??
    (own.baseUrl === undefined ? (variable('AZURE_API_KEY') ?? variable('AZURE_OPENAI_API_KEY')) : undefined);
  if (own.baseUrl === undefined && resource === undefined) {
    faults.push({ key: 'resource_name', message: 'is required, or base_url. Set it, or AZURE_RESOURCE_NAME' });
  }
  if (apiKey === undefined) faults.push({ key: 'api_key', message: 'is required. Set it, or AZURE_API_KEY' });
  return {
    apiKey,
    baseUrl: own.baseUrl ?? (resource === undefined ? undefined : `https://${resource}.openai.azure.com/openai`),
    cloud: entry.api_version === undefined ? {} : { apiVersion: entry.api_version },
    faults,
  };
}
