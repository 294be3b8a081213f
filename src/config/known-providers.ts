import type { ProviderType, Quirks } from './gateway-config.js';
import type { ProviderVariableName } from './settings/variables.js';
import { parseUrl } from '../runtime/parse-url.js';

/** Where the catalogues of prices and of models have a provider. */
export interface CatalogueNames {
  /** Its name in the price catalogue; absent where that does not have it. */
  readonly priceId?: string;
  /** Its name in the catalogue of context lengths; absent where that does not have it. */
  readonly catalogueId?: string;
}

/** A provider at an address everybody knows. */
export interface KnownProvider extends CatalogueNames {
  readonly name: string;
  /** What an entry of that name speaks unless it says otherwise. Default openai. */
  readonly type?: Exclude<ProviderType, 'sandbox'>;
  /** The variable that switches it on with no file at all. */
  readonly keyVariable: ProviderVariableName;
  readonly baseUrl: string;
  /** The variable that moves the base URL, where the vendor's own clients have one. */
  readonly baseUrlVariable?: ProviderVariableName;
  readonly quirks?: Quirks;
}

/** What most servers of other people's models have in common: the older field and the older role. */
const PLAIN: Quirks = { tokenLimit: 'max_tokens', developerRole: false };

export const KNOWN_PROVIDERS: readonly KnownProvider[] = [
  {
    name: 'openai',
    priceId: 'openai',
    catalogueId: 'openai',
    keyVariable: 'OPENAI_API_KEY',
    baseUrl: 'https://api.openai.com/v1',
    quirks: { tokenLimit: 'max_completion_tokens', accepts: 'openai' },
    baseUrlVariable: 'OPENAI_BASE_URL',
  },
  {
    name: 'anthropic',
    type: 'anthropic',
    priceId: 'anthropic',
    catalogueId: 'anthropic',
    keyVariable: 'ANTHROPIC_API_KEY',
    baseUrl: 'https://api.anthropic.com/v1',
  },
  {
    name: 'gemini',
    type: 'google',
    priceId: 'google',
    catalogueId: 'google',
    keyVariable: 'GEMINI_API_KEY',
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
  },
  {
    name: 'openrouter',
    priceId: 'openrouter',
    catalogueId: 'openrouter',
    keyVariable: 'OPENROUTER_API_KEY',
    baseUrl: 'https://openrouter.ai/api/v1',
  },
  {
    name: 'groq',
    priceId: 'groq',
    catalogueId: 'groq',
    keyVariable: 'GROQ_API_KEY',
    baseUrl: 'https://api.groq.com/openai/v1',
    quirks: { accepts: 'groq' },
  },
  {
    name: 'mistral',
    priceId: 'mistral',
    catalogueId: 'mistral',
    keyVariable: 'MISTRAL_API_KEY',
    baseUrl: 'https://api.mistral.ai/v1',
    quirks: { ...PLAIN, streamOptions: false, accepts: 'mistral' },
  },
  {
    name: 'deepseek',
    priceId: 'deepseek',
    catalogueId: 'deepseek',
    keyVariable: 'DEEPSEEK_API_KEY',
    baseUrl: 'https://api.deepseek.com/v1',
    quirks: { ...PLAIN, accepts: 'deepseek' },
  },
  {
    name: 'xai',
    priceId: 'x-ai',
    catalogueId: 'xai',
    keyVariable: 'XAI_API_KEY',
    baseUrl: 'https://api.x.ai/v1',
    quirks: { accepts: 'xai' },
  },
  {
    name: 'together',
    priceId: 'together',
    catalogueId: 'togetherai',
    keyVariable: 'TOGETHER_API_KEY',
    baseUrl: 'https://api.together.xyz/v1',
    quirks: { ...PLAIN, accepts: 'together' },
  },
  {
    name: 'fireworks',
    priceId: 'fireworks',
    catalogueId: 'fireworks-ai',
    keyVariable: 'FIREWORKS_API_KEY',
    baseUrl: 'https://api.fireworks.ai/inference/v1',
    quirks: { ...PLAIN, accepts: 'fireworks' },
  },
  {
    name: 'cerebras',
    priceId: 'cerebras',
    catalogueId: 'cerebras',
    keyVariable: 'CEREBRAS_API_KEY',
    baseUrl: 'https://api.cerebras.ai/v1',
    quirks: { tokenLimit: 'max_completion_tokens', developerRole: false, accepts: 'cerebras' },
  },
  {
    name: 'nvidia',
    keyVariable: 'NVIDIA_API_KEY',
    baseUrl: 'https://integrate.api.nvidia.com/v1',
    quirks: { ...PLAIN, accepts: 'nvidia' },
  },
  {
    name: 'cohere',
    type: 'cohere',
    priceId: 'cohere',
    keyVariable: 'COHERE_API_KEY',
    baseUrl: 'https://api.cohere.com/v2',
  },
  {
    name: 'perplexity',
    type: 'perplexity',
    priceId: 'perplexity',
    catalogueId: 'perplexity',
    keyVariable: 'PERPLEXITY_API_KEY',
    baseUrl: 'https://api.perplexity.ai',
  },
];

/** A server that people run on their own machine. */
export interface LocalServer {
  readonly name: string;
  /** Where it listens unless it is told otherwise. */
  readonly baseUrl: string;
  readonly quirks?: Quirks;
}

export const LOCAL_SERVERS: readonly LocalServer[] = [
  { name: 'ollama', baseUrl: 'http://127.0.0.1:11434/v1', quirks: PLAIN },
  { name: 'vllm', baseUrl: 'http://127.0.0.1:8000/v1', quirks: { developerRole: false } },
  { name: 'llamacpp', baseUrl: 'http://127.0.0.1:8080/v1', quirks: PLAIN },
  { name: 'lmstudio', baseUrl: 'http://127.0.0.1:1234/v1', quirks: PLAIN },
];

/** The clouds have an address for every region, project or resource. */
const CLOUD_HOSTS: readonly (CatalogueNames & { readonly host: RegExp })[] = [
  { host: /^bedrock-runtime\..+\.amazonaws\./, priceId: 'aws', catalogueId: 'amazon-bedrock' },
  { host: /aiplatform\.(?:[a-z]+\.rep\.)?googleapis\.com$/, priceId: 'google', catalogueId: 'google-vertex' },
  { host: /\.openai\.azure\.com$/, priceId: 'azure', catalogueId: 'azure' },
];

/** Asked for at each call. The first of those that share a host. */
const PROVIDERS_BY_HOST: ReadonlyMap<string, KnownProvider> = new Map(
  [...KNOWN_PROVIDERS].reverse().map((provider) => [new URL(provider.baseUrl).host, provider]),
);

export function knownProvider(name: string): KnownProvider | undefined {
  return KNOWN_PROVIDERS.find((provider) => provider.name === name);
}

/** The provider behind an address. Only the address tells: a name in the file may be anything. */
export function knownProviderAt(baseUrl: string): CatalogueNames | undefined {
  const host = parseUrl(baseUrl)?.host;
  if (host === undefined) return undefined;
  return PROVIDERS_BY_HOST.get(host) ?? CLOUD_HOSTS.find((cloud) => cloud.host.test(host));
}

/** How the server at an address differs from OpenAI; undefined where nothing is known of it. */
export function knownQuirksAt(baseUrl: string): Quirks | undefined {
  const host = parseUrl(baseUrl)?.host;
  if (host === undefined) return undefined;
  return KNOWN_PROVIDERS.find((provider) => new URL(provider.baseUrl).host === host)?.quirks;
}
