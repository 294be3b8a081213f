import type { ChatCompletion, ChatRequest } from './chat/chat-completion.js';
import type { StreamedChunk } from './chat/preserialized-chunk.js';
import type { EmbeddingRequest } from './embeddings/embedding-request.js';
import type { EmbeddingResult } from './embeddings/embedding-result.js';
import type { ImageRequest } from './images/image-request.js';
import type { RawChunk, RawHead, RawResponse } from './media/raw-response.js';
import type { ModerationRequest } from './moderations/moderation-request.js';
import type { ModerationResult } from './moderations/moderation-result.js';
import type { RerankRequest } from './rerank/rerank-request.js';
import type { RerankResult } from './rerank/rerank-result.js';
import type { SpeechRequest } from './speech/speech-request.js';
import type { TranscriptionRequest } from './transcription/transcription-request.js';

/** The canonical types of one operation. */
interface Types<Request extends { readonly model: string }, Result, Chunk = never, Head = undefined> {
  readonly request: Request;
  readonly result: Result;
  /** One item of a stream; never where the operation has no streams. */
  readonly chunk: Chunk;
  /**
   * The headers of a stream that are known before its first chunk, such as the media type of audio; undefined if there are
   * none.
   */
  readonly head: Head;
}

/** Every operation by its name. A new one is added here, to OPERATION_NAMES, and to the providers that have it. */
export interface OperationTypes {
  readonly chat: Types<ChatRequest, ChatCompletion, StreamedChunk>;
  readonly embeddings: Types<EmbeddingRequest, EmbeddingResult>;
  readonly rerank: Types<RerankRequest, RerankResult>;
  readonly moderations: Types<ModerationRequest, ModerationResult>;
  readonly images: Types<ImageRequest, RawResponse, RawChunk, RawHead>;
  readonly speech: Types<SpeechRequest, RawResponse, RawChunk, RawHead>;
  readonly transcription: Types<TranscriptionRequest, RawResponse, RawChunk, RawHead>;
}

/** As in usage records, labels of metrics, `gen_ai.operation.name` and batch tasks. */
export type OperationName = keyof OperationTypes;

export const OPERATION_NAMES = [
  'chat',
  'embeddings',
  'rerank',
  'moderations',
  'images',
  'speech',
  'transcription',
] as const satisfies readonly OperationName[];

export type RequestOf<Name extends OperationName> = OperationTypes[Name]['request'];
export type ResultOf<Name extends OperationName> = OperationTypes[Name]['result'];
export type ChunkOf<Name extends OperationName> = OperationTypes[Name]['chunk'];
export type HeadOf<Name extends OperationName> = OperationTypes[Name]['head'];

/**
 * The chunks of a stream, grouped by what arrived together, so that one network read costs one write. The iterator throws a
 * GatewayError when the stream fails; returning it early (`break`) aborts the upstream request.
 */
export interface OperationStream<Name extends OperationName> extends AsyncIterable<readonly ChunkOf<Name>[]> {
  readonly head?: HeadOf<Name>;
}
