/** A provider's own batch API: many requests in one file, whose responses come within a day at a lower price. */
export interface BatchFormat {
  /**
   * `files-and-batches` as at OpenAI, `files-and-jobs` as at Mistral, `message-batches` as at Anthropic, `content-batches` as at Gemini.
   */
  readonly format: 'files-and-batches' | 'files-and-jobs' | 'message-batches' | 'content-batches';
  /** Endpoints that its lines may be for, as their paths end below the base URL. */
  readonly endpoints: readonly string[];
  /** What stands before an endpoint in a line; Azure has nothing there. */
  readonly linePrefix?: string;
  /** Most requests of one batch. */
  readonly maxLines: number;
  /** Most bytes of one batch. */
  readonly maxBytes: number;
}

/** Whether a server has its own batch API, for entries of OpenAI's format. */
export const BATCH_MODES = ['native', 'off'] as const;
export type BatchMode = (typeof BATCH_MODES)[number];
