import { baseUrlFault } from './base-url.js';
import type { KnownProvider, ProviderEnvironment } from './environment.js';
import type { ProviderConfig } from './gateway-config.js';
import { CLOUD_KEYS, type Connection, type ConnectionInput } from '../providers/definitions/types/connection.js';
import { type ProviderDefinition } from '../providers/definitions/definition.js';
import { type Quirks } from '../providers/definitions/types/field-rules.js';
import { OPENAI_TYPE } from '../providers/definitions/openai.js';
import {
  definitionAt,
  definitionNamed,
  definitionOfType,
  entryTypeOf,
  PROVIDER_TYPES,
  quirksOfDefinition,
  speaksOpenAi,
} from '../providers/definitions/registry.js';
import type { ProviderFile } from './settings/providers.js';
import type { VariableName } from './settings/variables.js';

/** The result of reading one entry under `providers`. */
export interface ReadProvider {
  /** Undefined when the entry does not say where the provider is. */
  readonly config: ProviderConfig | undefined;
  readonly faults: readonly { readonly key: keyof ProviderFile; readonly message: string }[];
}

type Fault = ReadProvider['faults'][number];

/** One entry under `providers:`. */
export function readProvider(name: string, entry: ProviderFile, environment: ProviderEnvironment): ReadProvider {
  const known = definitionNamed(name) ?? definitionOfType(name);
  const type = entry.type ?? (known === undefined ? OPENAI_TYPE : entryTypeOf(known));
  // An entry of another format is at another server; OpenAI's format is one that many providers have beside their own.
  const isSame = (provider: KnownProvider): boolean =>
    provider.name === name && (provider.type === type || type === OPENAI_TYPE);
  const fromEnvironment = environment.providers.find(isSame);
  // The variable that moves a provider moves its entry as well, whichever has the key.
  const moved = environment.known.find((provider) => provider.name === name && provider.type === type);
  const own = {
    apiKey: entry.api_key ?? entry.api_keys?.[0] ?? fromEnvironment?.apiKey,
    baseUrl: entry.base_url ?? fromEnvironment?.baseUrl ?? moved?.baseUrl,
  };
  const {
    apiKey,
    baseUrl,
    cloud,
    faults: missing,
  } = type === OPENAI_TYPE
    ? { ...own, baseUrl: own.baseUrl ?? definitionNamed(name)?.baseUrl, cloud: undefined, faults: [] }
    : connect(type, { entry, ...own, variable: (variable) => environment.variable(variable as VariableName) });
  const faults: Fault[] = [...foreignKeys(type, entry), ...faultsOfKeys(entry), ...missing];
  if (entry.quirks !== undefined && !speaksOpenAi(type)) {
    faults.push({ key: 'quirks', message: `are for type openai alone, not for type ${type}` });
  }
  if (entry.responses !== undefined && !speaksOpenAi(type)) {
    faults.push({ key: 'responses', message: `is for types of OpenAI's format alone, not for type ${type}` });
  }
  if (entry.completions !== undefined && !speaksOpenAi(type)) {
    faults.push({ key: 'completions', message: `is for types of OpenAI's format alone, not for type ${type}` });
  }
  const needsLocation = definitionOfType(type)?.cloudKeys?.includes('batch_location') === true;
  if (entry.batches === 'native' && needsLocation && entry.batch_location === undefined) {
    faults.push({ key: 'batch_location', message: 'is required with batches: native. Set the bucket of their files' });
  }
  if (baseUrl === undefined) {
    if (faults.length === 0)
      faults.push({ key: 'base_url', message: 'is required, such as http://127.0.0.1:11434/v1' });
    return { config: undefined, faults };
  }
  const [, ...furtherKeys] = entry.api_keys ?? [];
  const fault = baseUrlFault(baseUrl);
  if (fault !== undefined) {
    const variable = entry.base_url === undefined ? moved?.movedBy : undefined;
    faults.push({
      key: 'base_url',
      message: variable === undefined ? fault : `is that of ${variable}, which ${fault}`,
    });
  }
  return {
    config: {
      name,
      type,
      baseUrl: baseUrl.replace(/\/+$/, ''),
      apiKey,
      ...(furtherKeys.length > 0 && { furtherKeys }),
      headers: Object.fromEntries(
        Object.entries(entry.headers ?? {}).map(([header, value]) => [header.toLowerCase(), value]),
      ),
      listModels: entry.list_models ?? true,
      ...responsesOf({ name, type, baseUrl }, entry.responses),
      ...(entry.completions !== undefined && { completions: entry.completions }),
      ...(entry.batches !== undefined && { batches: entry.batches }),
      ...(entry.batch_min_tasks !== undefined && { batchMinTasks: entry.batch_min_tasks }),
      ...(speaksOpenAi(type) && { quirks: quirksOf(entry, baseUrl, quirksByType(type, name)) }),
      ...(cloud !== undefined && { cloud }),
    },
    faults,
  };
}

function faultsOfKeys({ api_key: one, api_keys: several }: ProviderFile): Fault[] {
  if (several === undefined) return [];
  if (one !== undefined) return [{ key: 'api_keys', message: 'stands in place of api_key. Set one of the two' }];
  const isRepeated = new Set(several).size < several.length;
  return isRepeated ? [{ key: 'api_keys', message: 'has the same key twice. Leave one of them out' }] : [];
}

/** The facts of the server at that address, or of the local server of that name, overridden by those of the entry. */
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
    ...(quirksOfDefinition(definitionAt(baseUrl)) ?? ofName),
    ...(tokenLimit !== undefined && { tokenLimit }),
    ...(developerRole !== undefined && { developerRole }),
    ...(streamOptions !== undefined && { streamOptions }),
    ...(accepts !== undefined && { accepts }),
    ...(embeddings !== undefined && { embeddings }),
    ...(rerank !== undefined && { rerank }),
  };
}

/** A type says which provider it is at any address. */
function quirksByType(type: string, name: string): Quirks | undefined {
  return type === OPENAI_TYPE ? quirksByName(definitionNamed(name)) : quirksOfDefinition(definitionOfType(type));
}

/** An entry of OpenAI's own name at another address is most often OpenAI behind a proxy. */
export function responsesOf(
  { name, type, baseUrl }: Pick<ProviderConfig, 'name' | 'type' | 'baseUrl'>,
  responses?: ProviderFile['responses'],
): Pick<ProviderConfig, 'responses'> {
  if (responses !== undefined) return { responses };
  const there = type === OPENAI_TYPE ? definitionAt(baseUrl) : definitionOfType(type);
  if (there?.responsesUrl !== undefined) return { responses: 'native' };
  const isNamed = type === OPENAI_TYPE && there === undefined && definitionNamed(name)?.responsesUrl !== undefined;
  return isNamed ? { responses: 'assumed' } : {};
}

/** An entry that has a provider's name and another address is that provider behind a proxy, unless the name is generic. */
function quirksByName(definition: ProviderDefinition | undefined): Quirks | undefined {
  const quirks = quirksOfDefinition(definition);
  if (definition?.compatible?.nameIsGeneric !== true) return quirks;
  return quirks?.accepts === undefined ? {} : { accepts: quirks.accepts };
}

function foreignKeys(type: ProviderConfig['type'], entry: ProviderFile): Fault[] {
  const taken = definitionOfType(type)?.cloudKeys ?? [];
  return CLOUD_KEYS.filter((key) => entry[key] !== undefined && !taken.includes(key)).map((key) => {
    const types = PROVIDER_TYPES.filter((each) => definitionOfType(each)?.cloudKeys?.includes(key) === true);
    return { key, message: `is for ${types.join(' and ')} alone, not for type ${type}` };
  });
}

/** Address and credentials of an entry with a provider's own format. */
function connect(type: string, input: ConnectionInput): Connection {
  const definition = definitionOfType(type);
  if (definition?.connect !== undefined) return definition.connect(input);
  const { keyVariable, baseUrl } = definition ?? {};
  // A key of the environment goes to the address that it is for, and to no other.
  const fromEnvironment =
    input.baseUrl === undefined && keyVariable !== undefined ? input.variable(keyVariable) : undefined;
  const apiKey = input.apiKey ?? fromEnvironment;
  return {
    apiKey,
    baseUrl: input.baseUrl ?? baseUrl,
    cloud: {},
    faults:
      apiKey === undefined
        ? [{ key: 'api_key', message: `is required. Set it${keyVariable === undefined ? '' : `, or ${keyVariable}`}` }]
        : [],
  };
}
