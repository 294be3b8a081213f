import type { IncomingHttpHeaders } from 'node:http';
import type { BatchBehavior } from '../batch-provider.js';

export interface Line {
  readonly customId: string;
  readonly text: string;
}

export interface StoredBatch {
  readonly id: string;
  readonly lines: readonly Line[];
  readonly createdAt: number;
  readonly behavior: BatchBehavior;
  /** What an API keeps of its batch. */
  readonly facts: Readonly<Record<string, unknown>>;
  cancelledAt: number | undefined;
}

export interface BatchRequest {
  readonly method: string;
  readonly url: URL;
  /** Path and query as they were received. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The body. */
  readonly text: string;
}

export type Send = (status: number, body: unknown, type?: string) => void;

/** What all batch APIs of the provider have in common. */
export interface BatchServer {
  readonly url: string;
  readonly behavior: BatchBehavior;
  readonly stored: Map<string, StoredBatch>;
  /** Files and objects by their names. */
  readonly files: Map<string, string>;
  readonly read: Set<string>;
  readonly live: { text: string; tier: string | undefined }[];
  flexRefusals: number;
  create(batch: {
    readonly lines: readonly Line[];
    readonly facts: StoredBatch['facts'];
    /** The body of an error with a status. */
    readonly writeError?: (status: number) => object;
  }): { readonly batch: StoredBatch } | { readonly status: number; readonly body: object };
  statusOf(batch: StoredBatch): 'in_progress' | 'cancelling' | 'cancelled' | 'completed' | 'expired';
  /** Whether it has ended; its results are billed then, once. */
  settle(batch: StoredBatch): boolean;
  hasResult(batch: StoredBatch, index: number): boolean;
}

/** The lines of results that there are, in another order than that of the input. */
export function outputOf(lines: readonly string[]): string {
  return [...lines]
    .reverse()
    .filter((line) => line !== '')
    .join('\n');
}
