import type { OperationTarget } from './connection.js';

/** A provider's own batch API: many requests in one file, whose responses come within a day at a lower price. */
export interface BatchFormat {
  /**
   * `files-and-batches` as at OpenAI, `files-and-jobs` as at Mistral, `message-batches` as at Anthropic, `content-batches` as at Gemini,
   * `invocation-jobs` as at Bedrock, `prediction-jobs` as at Vertex AI. The jobs have their files in a bucket of the operator.
   */
  readonly format:
    | 'files-and-batches'
    | 'files-and-jobs'
    | 'message-batches'
    | 'content-batches'
    | 'invocation-jobs'
    | 'prediction-jobs';
  /** Endpoints that its lines may be for, as their paths end below the base URL. */
  readonly endpoints: readonly string[];
  /** What stands before an endpoint in a line; Azure has nothing there. */
  readonly linePrefix?: string;
  /** The URL below which its jobs are. Default: the base URL. */
  readonly url?: (target: OperationTarget) => string;
  /** Fewest requests of one batch. Default: 1. */
  readonly minLines?: number;
  /** Most requests of one batch. */
  readonly maxLines: number;
  /** Most bytes of one batch. */
  readonly maxBytes: number;
}

/** Whether a server has its own batch API, for entries of OpenAI's format. */
export const BATCH_MODES = ['native', 'off'] as const;
export type BatchMode = (typeof BATCH_MODES)[number];
