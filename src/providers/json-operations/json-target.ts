import type { ProviderConfig } from '../../config/gateway-config.js';
import { bedrockEmbeddings } from '../../wire/embeddings/bedrock.js';
import { CohereEmbeddings } from '../../wire/embeddings/cohere.js';
import type { EmbeddingWire } from '../../wire/embeddings/embedding-wire.js';
import { GeminiEmbeddings } from '../../wire/embeddings/gemini.js';
import { OllamaEmbeddings } from '../../wire/embeddings/ollama.js';
import { OpenAiEmbeddings } from '../../wire/embeddings/openai.js';
import { VertexEmbeddings } from '../../wire/embeddings/vertex.js';
import { MistralModerations } from '../../wire/moderations/mistral.js';
import type { ModerationWire } from '../../wire/moderations/moderation-wire.js';
import { OpenAiModerations } from '../../wire/moderations/openai.js';
import { BedrockRerank, CohereRerank } from '../../wire/rerank/cohere.js';
import { JinaRerank, VoyageRerank } from '../../wire/rerank/jina.js';
import type { RerankWire } from '../../wire/rerank/rerank-wire.js';
import { TeiRerank } from '../../wire/rerank/tei.js';
import {
  type MediaOperationName,
  type OperationFormats,
  SERVER_RERANK_FORMATS,
} from '../definitions/types/operation-formats.js';
import { type OperationTarget } from '../definitions/types/connection.js';
import { OPENAI_TYPE } from '../definitions/openai.js';
import { definitionAt, definitionNamed, definitionOfType } from '../definitions/registry.js';

/** The wire formats of a provider's operations beside chat; an operation that it does not have is absent. */
export interface JsonTarget {
  /** The absolute URL of a path that a wire format wrote. */
  url(path: string, upstreamModel: string): string;
  readonly embeddings?: (upstreamModel: string) => EmbeddingWire;
  readonly rerank?: (upstreamModel: string) => RerankWire;
  readonly moderations?: (upstreamModel: string) => ModerationWire;
  /** The operations that it has at OpenAI's paths; their bodies and responses pass through. */
  readonly media: readonly MediaOperationName[];
}

/** A server of which nothing is known may have all of them. */
const ANY: OperationFormats = {
  embeddings: { format: 'openai-embeddings' },
  rerank: 'jina-rerank',
  moderations: 'openai-moderations',
  media: ['images', 'speech', 'transcription'],
};

/** How a provider's operations beside chat are called, as its definition says. */
export function jsonTargetOf(config: ProviderConfig): JsonTarget {
  const definition = definitionOfType(config.type);
  const formats = config.type === OPENAI_TYPE ? formatsOfServer(config) : (definition?.operations ?? {});
  const { embeddings, rerank, moderations, media = [] } = formats;
  return {
    media,
    url: definition?.operationUrl?.(config) ?? belowBaseUrl(config, formats),
    ...(embeddings !== undefined && { embeddings: (model) => embeddingWire(embeddings, model) }),
    ...(rerank !== undefined && { rerank: (model) => rerankWire(rerank, model) }),
    ...(moderations !== undefined && {
      moderations: (model) =>
        moderations === 'mistral-moderations' ? new MistralModerations(model) : new OpenAiModerations(model),
    }),
  };
}

/** The rules of a server of OpenAI's format: those of the entry, then those that are known. */
function formatsOfServer(config: ProviderConfig): OperationFormats {
  const { quirks = {} } = config;
  const embeddings = quirks.embeddings === undefined ? undefined : definitionNamed(quirks.embeddings)?.operations;
  const rerank = SERVER_RERANK_FORMATS.find((format) => format === `${quirks.rerank ?? ''}-rerank`);
  return {
    ...knownFormats(config),
    ...(embeddings?.embeddings !== undefined && { embeddings: embeddings.embeddings }),
    ...(rerank !== undefined && { rerank }),
  };
}

/** Those of the provider whose fields it takes, or of the provider at its address. */
function knownFormats({ baseUrl, quirks = {} }: ProviderConfig): OperationFormats {
  const named = quirks.accepts === undefined ? undefined : definitionNamed(quirks.accepts);
  if (named !== undefined) return named.operations ?? {};
  const at = definitionAt(baseUrl);
  const isAnyServer = at?.compatible === undefined || at.compatible.fields !== undefined;
  return (isAnyServer ? undefined : at.operations) ?? ANY;
}

function embeddingWire(embeddings: NonNullable<OperationFormats['embeddings']>, model: string): EmbeddingWire {
  switch (embeddings.format) {
    case 'openai-embeddings':
      return new OpenAiEmbeddings(model, embeddings.rules);
    case 'ollama-embed':
      return new OllamaEmbeddings(model);
    case 'cohere-embed':
      return new CohereEmbeddings(model);
    case 'gemini-embed':
      return new GeminiEmbeddings(model);
    case 'vertex-predict':
      return new VertexEmbeddings(model);
    case 'bedrock-invoke':
      return bedrockEmbeddings(model);
  }
}

function rerankWire(rerank: NonNullable<OperationFormats['rerank']>, model: string): RerankWire {
  switch (rerank) {
    case 'jina-rerank':
      return new JinaRerank(model);
    case 'jina-rerank-objects':
      return new JinaRerank(model, true);
    case 'cohere-rerank':
      return new CohereRerank(model);
    case 'voyage-rerank':
      return new VoyageRerank(model);
    case 'tei-rerank':
      return new TeiRerank();
    case 'bedrock-rerank':
      return new BedrockRerank(model);
  }
}

/** Paths that servers have beside `/v1`, not below it. */
const BESIDE_V1 = { 'ollama-embed': '/api/embed', 'tei-rerank': '/rerank' } as const;

/** A query of the base URL belongs to every request. */
function belowBaseUrl({ baseUrl }: OperationTarget, { embeddings, rerank }: OperationFormats): JsonTarget['url'] {
  const { origin, pathname, search } = new URL(baseUrl);
  const root = `${origin}${pathname.replace(/\/+$/, '')}`;
  const outer = root.replace(/\/v1$/, '');
  return (path) => {
    const isBeside =
      (embeddings?.format === 'ollama-embed' && path === BESIDE_V1['ollama-embed']) ||
      (rerank === 'tei-rerank' && path === BESIDE_V1['tei-rerank']);
    return `${isBeside ? outer : root}${path}${search}`;
  };
}
