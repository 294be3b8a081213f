import type { EmbeddingsFormat, ProviderConfig, Quirks, RerankFormat } from '../../config/gateway-config.js';
import { bedrockEmbeddings } from '../../wire/embeddings/bedrock.js';
import { CohereEmbeddings } from '../../wire/embeddings/cohere.js';
import type { EmbeddingWire } from '../../wire/embeddings/embedding-wire.js';
import { GeminiEmbeddings } from '../../wire/embeddings/gemini.js';
import { OllamaEmbeddings } from '../../wire/embeddings/ollama.js';
import { OPENAI_EMBEDDING_RULES, OpenAiEmbeddings } from '../../wire/embeddings/openai.js';
import { VertexEmbeddings } from '../../wire/embeddings/vertex.js';
import { MistralModerations } from '../../wire/moderations/mistral.js';
import type { ModerationWire } from '../../wire/moderations/moderation-wire.js';
import { OpenAiModerations } from '../../wire/moderations/openai.js';
import { BedrockRerank, CohereRerank } from '../../wire/rerank/cohere.js';
import { JinaRerank, VoyageRerank } from '../../wire/rerank/jina.js';
import type { RerankWire } from '../../wire/rerank/rerank-wire.js';
import { TeiRerank } from '../../wire/rerank/tei.js';

/** The wire formats of a provider's operations beside chat; an operation that it does not have is absent. */
export interface JsonTarget {
  /** The absolute URL of a path that a wire format wrote. */
  url(path: string, upstreamModel: string): string;
  readonly embeddings?: (upstreamModel: string) => EmbeddingWire;
  readonly rerank?: (upstreamModel: string) => RerankWire;
  readonly moderations?: (upstreamModel: string) => ModerationWire;
}

type Wires = Omit<JsonTarget, 'url'>;

const EMBEDDINGS_ALONE = {
  embeddings: (model: string) => new OpenAiEmbeddings(model),
} satisfies Wires;
const OPENAI = {
  ...EMBEDDINGS_ALONE,
  moderations: (model: string) => new OpenAiModerations(model),
} satisfies Wires;
/** A server of which nothing is known may have all of them. */
const ANY: Wires = { ...OPENAI, rerank: (model) => new JinaRerank(model) };
const EMBEDDINGS_AND_RERANK: Wires = { ...EMBEDDINGS_ALONE, rerank: (model) => new JinaRerank(model, true) };
const MISTRAL: Wires = {
  embeddings: (model) => new OpenAiEmbeddings(model, OPENAI_EMBEDDING_RULES.mistral),
  moderations: (model) => new MistralModerations(model),
};
const COHERE: Wires = {
  embeddings: (model) => new CohereEmbeddings(model),
  rerank: (model) => new CohereRerank(model),
};
const EMBEDDINGS: Readonly<Record<EmbeddingsFormat, NonNullable<Wires['embeddings']>>> = {
  openai: (model) => new OpenAiEmbeddings(model),
  mistral: (model) => new OpenAiEmbeddings(model, OPENAI_EMBEDDING_RULES.mistral),
  voyage: (model) => new OpenAiEmbeddings(model, OPENAI_EMBEDDING_RULES.voyage),
  jina: (model) => new OpenAiEmbeddings(model, OPENAI_EMBEDDING_RULES.jina),
  ollama: (model) => new OllamaEmbeddings(model),
};
const RERANK: Readonly<Record<RerankFormat, NonNullable<Wires['rerank']>>> = {
  jina: (model) => new JinaRerank(model),
  cohere: (model) => new CohereRerank(model),
  voyage: (model) => new VoyageRerank(model),
  tei: () => new TeiRerank(),
};
const VOYAGE: Wires = { embeddings: EMBEDDINGS.voyage, rerank: RERANK.voyage };
const JINA: Wires = { embeddings: EMBEDDINGS.jina, rerank: (model) => new JinaRerank(model, true) };
/** Paths that servers have beside `/v1`, not below it. */
const BESIDE_V1 = { ollama: '/api/embed', tei: '/rerank' } as const;
const BEDROCK: Wires = {
  embeddings: bedrockEmbeddings,
  rerank: (model) => new BedrockRerank(model),
};

/** What servers of OpenAI's format have beside chat, by whose fields they take. Those that have nothing are empty. */
const BY_ACCEPTED: Readonly<Partial<Record<NonNullable<Quirks['accepts']>, Wires>>> = {
  openai: OPENAI,
  mistral: MISTRAL,
  together: EMBEDDINGS_AND_RERANK,
  fireworks: EMBEDDINGS_AND_RERANK,
  nvidia: EMBEDDINGS_ALONE,
  groq: {},
  cerebras: {},
  deepseek: {},
  xai: {},
};
const BY_HOST: Readonly<Record<string, Wires>> = { 'api.voyageai.com': VOYAGE, 'api.jina.ai': JINA };

/** How a provider's operations beside chat are called. */
export function jsonTargetOf(config: ProviderConfig): JsonTarget {
  const { type, baseUrl, cloud = {} } = config;
  switch (type) {
    case 'openai':
      return { url: withQuery(config), ...openAiWires(config) };
    case 'mistral':
      return { url: joined(baseUrl), ...MISTRAL };
    case 'together':
    case 'fireworks':
      return { url: joined(baseUrl), ...EMBEDDINGS_AND_RERANK };
    case 'cohere':
      return { url: joined(baseUrl), ...COHERE };
    case 'google':
      return { url: joined(baseUrl), embeddings: (model) => new GeminiEmbeddings(model) };
    case 'bedrock':
      return { url: joined(baseUrl), ...BEDROCK };
    case 'azure':
      return { url: azureUrl(baseUrl, cloud.apiVersion), ...EMBEDDINGS_ALONE };
    case 'vertex':
      return { url: joined(vertexRoot(config)), embeddings: (model) => new VertexEmbeddings(model) };
    case 'sandbox':
    case 'anthropic':
    case 'xai':
    case 'groq':
    case 'deepseek':
    case 'perplexity':
      return { url: joined(baseUrl) };
  }
}

function openAiWires({ baseUrl, quirks = {} }: ProviderConfig): Wires {
  const { accepts = 'any', embeddings, rerank } = quirks;
  return {
    ...(BY_HOST[new URL(baseUrl).host] ?? BY_ACCEPTED[accepts] ?? ANY),
    ...(embeddings !== undefined && { embeddings: EMBEDDINGS[embeddings] }),
    ...(rerank !== undefined && { rerank: RERANK[rerank] }),
  };
}

function joined(baseUrl: string): JsonTarget['url'] {
  return (path) => `${baseUrl}${path}`;
}

/** A query of the base URL belongs to every request. */
function withQuery({ baseUrl, quirks: { embeddings, rerank } = {} }: ProviderConfig): JsonTarget['url'] {
  const { origin, pathname, search } = new URL(baseUrl);
  const root = `${origin}${pathname.replace(/\/+$/, '')}`;
  const outer = root.replace(/\/v1$/, '');
  return (path) => {
    const isBeside =
      (embeddings === 'ollama' && path === BESIDE_V1.ollama) || (rerank === 'tei' && path === BESIDE_V1.tei);
    return `${isBeside ? outer : root}${path}${search}`;
  };
}

/** A dated version uses the addresses of deployments. */
function azureUrl(baseUrl: string, apiVersion = 'v1'): JsonTarget['url'] {
  const query = `?api-version=${encodeURIComponent(apiVersion)}`;
  if (apiVersion === 'v1') return (path) => `${baseUrl}/v1${path}${query}`;
  return (path, model) => `${baseUrl}/deployments/${encodeURIComponent(model)}${path}${query}`;
}

/** An API key is for Google's express mode, which has no project in its addresses. */
function vertexRoot({ baseUrl, apiKey, cloud = {} }: ProviderConfig): string {
  if (apiKey !== undefined) return `${baseUrl}/v1/publishers/google`;
  return `${baseUrl}/v1/projects/${cloud.project ?? ''}/locations/${cloud.region ?? 'global'}/publishers/google`;
}
