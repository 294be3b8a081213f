import { readdirSync } from 'node:fs';
import { parseUrl } from '../../runtime/parse-url.js';
import { SOURCE_FOLDER } from '../../runtime/source-folder.js';
import type { FieldRules, Quirks } from './types/field-rules.js';
import type { PrefillRule, ProviderDefinition } from './definition.js';
import { OPENAI_TYPE } from './openai.js';

/** Files of this folder that define no provider. */
const OTHER_FILES: readonly string[] = ['definition', 'registry'];

/**
 * Every provider that the gateway knows, in the order of the names of their files. The folder itself is the list, so that a
 * new provider is one new file.
 */
export const PROVIDER_DEFINITIONS: readonly ProviderDefinition[] = await loadDefinitions();

const BY_NAME = new Map(PROVIDER_DEFINITIONS.map((definition) => [definition.name, definition]));
const BY_TYPE = new Map(PROVIDER_DEFINITIONS.map((definition) => [typeOf(definition), definition]));
const BY_HOST = new Map(
  PROVIDER_DEFINITIONS.flatMap((definition) => {
    const host = definition.isLocal === true ? undefined : parseUrl(definition.baseUrl ?? '')?.host;
    return host === undefined ? [] : [[host, definition] as const];
  }),
);
/** Looked up at each call; base URLs come from the configuration, so there are few. Null for none. */
const BY_BASE_URL = new Map<string, ProviderDefinition | null>();
const PREFILL_RULES = PROVIDER_DEFINITIONS.flatMap(({ prefill }) => prefill ?? []);
const WITH_HOSTS = PROVIDER_DEFINITIONS.filter(({ hosts }) => hosts !== undefined);

/** Values of `type` beside `openai`: they choose a provider's own wire format, or what OpenAI's format has of its own there. */
export const PROVIDER_TYPES: readonly string[] = PROVIDER_DEFINITIONS.filter(
  ({ name, chat, compatible, keyVariable, connect }) =>
    chat !== undefined ||
    (compatible !== undefined && name !== OPENAI_TYPE && (keyVariable !== undefined || connect !== undefined)),
).map(typeOf);

/** Names of providers whose rules for fields are known, as `quirks.accepts` takes them. */
export const FIELD_RULE_NAMES: readonly string[] = PROVIDER_DEFINITIONS.filter(
  ({ compatible }) => compatible?.fields !== undefined,
).map(({ name }) => name);

/** Names of providers whose format of embeddings a server of OpenAI's format may have, as `quirks.embeddings` takes them. */
export const EMBEDDINGS_NAMES: readonly string[] = PROVIDER_DEFINITIONS.filter(({ name, operations, compatible }) => {
  const embeddings = operations?.embeddings;
  if (compatible === undefined || embeddings === undefined) return false;
  return embeddings.format !== 'openai-embeddings' || embeddings.rules !== undefined || name === OPENAI_TYPE;
}).map(({ name }) => name);

/** Servers that people run on their own machine. */
export const LOCAL_SERVERS: readonly ProviderDefinition[] = PROVIDER_DEFINITIONS.filter(({ isLocal }) => isLocal);

/** The definition behind a usual name of an entry. */
export function definitionNamed(name: string): ProviderDefinition | undefined {
  return BY_NAME.get(name);
}

/** The definition that a `type` chooses. */
export function definitionOfType(type: string): ProviderDefinition | undefined {
  return BY_TYPE.get(type);
}

/** The provider at a base URL. Only the URL decides: a name in the file may be anything. */
export function definitionAt(baseUrl: string): ProviderDefinition | undefined {
  let definition = BY_BASE_URL.get(baseUrl);
  if (definition === undefined) {
    definition = findByHost(baseUrl) ?? null;
    BY_BASE_URL.set(baseUrl, definition);
  }
  return definition ?? undefined;
}

function findByHost(baseUrl: string): ProviderDefinition | undefined {
  const host = parseUrl(baseUrl)?.host;
  if (host === undefined) return undefined;
  return BY_HOST.get(host) ?? WITH_HOSTS.find(({ hosts }) => hosts?.test(host) === true);
}

/**
 * How a server takes the beginning of its response as the last turn; undefined where no rule is known.
 *
 * @param name of the entry, which counts where the base URL says nothing
 */
export function prefillFormAt(baseUrl: string, name: string): PrefillRule['form'] | undefined {
  const host = parseUrl(baseUrl)?.hostname ?? '';
  const ofHost = PREFILL_RULES.find(({ hosts }) => hosts?.test(host) === true);
  if (ofHost !== undefined || definitionAt(baseUrl) !== undefined) return ofHost?.form;
  const ofName = BY_NAME.get(name)?.prefill;
  return ofName?.hosts === undefined ? ofName?.form : undefined;
}

/** The rules that `quirks.accepts` names; undefined for `any`. */
export function fieldRulesOf(accepts: string | undefined): FieldRules | undefined {
  return accepts === undefined ? undefined : BY_NAME.get(accepts)?.compatible?.fields;
}

/** Those of OpenAI's format at a provider, with the rules for fields by its name. */
export function quirksOfDefinition(definition: ProviderDefinition | undefined): Quirks | undefined {
  if (definition?.compatible === undefined) return undefined;
  const { quirks, fields } = definition.compatible;
  return { ...quirks, ...(fields !== undefined && { accepts: definition.name }) };
}

/** Whether a `type` speaks OpenAI's chat format. */
export function speaksOpenAi(type: string): boolean {
  if (type === OPENAI_TYPE) return true;
  const definition = definitionOfType(type);
  return definition?.compatible !== undefined && definition.chat === undefined;
}

/** The default wire format of an entry with a provider's name. */
export function entryTypeOf(definition: ProviderDefinition): string {
  const { compatible, connect } = definition;
  return compatible === undefined || connect !== undefined ? typeOf(definition) : OPENAI_TYPE;
}

/** The value of `type` that stands for a provider. */
export function typeOf({ type, name }: Pick<ProviderDefinition, 'type' | 'name'>): string {
  return type ?? name;
}

/** @throws Error when a file defines no provider, or when two have the same name or type */
async function loadDefinitions(): Promise<ProviderDefinition[]> {
  const folder = new URL('providers/definitions/', SOURCE_FOLDER);
  const files = readdirSync(folder)
    .filter((file) => /^[a-z\d-]+\.(?:js|ts)$/.test(file) && !OTHER_FILES.includes(file.slice(0, -'.js'.length)))
    .sort();
  const definitions: ProviderDefinition[] = [];
  // One after the other: Jest's loader fails where modules that are imported at once share a module that none has loaded yet.
  for (const file of files) {
    const { definition } = (await import(new URL(file, folder).href)) as { readonly definition?: ProviderDefinition };
    if (definition === undefined) throw new Error(`providers/definitions/${file} exports no definition.`);
    definitions.push(definition);
  }
  const names = definitions.flatMap((definition) => [...new Set([definition.name, typeOf(definition)])]);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw new Error(`providers/definitions has two providers named ${repeated}.`);
  return definitions;
}
