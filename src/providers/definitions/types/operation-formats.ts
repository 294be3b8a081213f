/** How embeddings of a server that speaks OpenAI's format differ from OpenAI's. */
export interface OpenAiEmbeddingRules {
  /** Members that it takes; undefined where unknown ones pass through. */
  readonly accepts?: readonly string[];
  /** Its name for `dimensions`. Default `dimensions`. */
  readonly dimensions?: string;
  /** Whether it takes tokens in place of texts. Default true. */
  readonly takesTokens?: boolean;
  /** The encodings that it may be asked for; vectors are converted from the others. Default: any. */
  readonly encodings?: readonly string[];
  readonly maxInputs?: number;
  readonly maxTokens?: number;
}

/** Formats of reranking that a server of OpenAI's format may have. */
export const SERVER_RERANK_FORMATS = ['jina-rerank', 'cohere-rerank', 'voyage-rerank', 'tei-rerank'] as const;
export type ServerRerankFormat = (typeof SERVER_RERANK_FORMATS)[number];

/** Operations that have one wire format, OpenAI's, in which bodies and responses pass through. */
export type MediaOperationName = 'images' | 'speech' | 'transcription';

/** The wire formats of the operations beside chat. An operation that is absent is one that the provider does not have. */
export interface OperationFormats {
  readonly embeddings?:
    | { readonly format: 'openai-embeddings'; readonly rules?: OpenAiEmbeddingRules }
    | { readonly format: 'ollama-embed' | 'cohere-embed' | 'gemini-embed' | 'vertex-predict' | 'bedrock-invoke' };
  /** `jina-rerank-objects`: documents may be objects; others of Jina's format take texts alone. */
  readonly rerank?: ServerRerankFormat | 'jina-rerank-objects' | 'bedrock-rerank';
  readonly moderations?: 'openai-moderations' | 'mistral-moderations';
  /** The operations that it has at OpenAI's paths. */
  readonly media?: readonly MediaOperationName[];
}

/** Which requests go to a server's Responses API: those that came by it, all, or none. */
export const RESPONSES_MODES = ['native', 'all', 'off'] as const;
export type ResponsesMode = (typeof RESPONSES_MODES)[number];

/** Which requests of the legacy completions go to a server's own completions API. */
export const COMPLETIONS_MODES = ['auto', 'native', 'off'] as const;
export type CompletionsMode = (typeof COMPLETIONS_MODES)[number];
