import type { CancelSignal } from '../../runtime/cancel-signal.js';
import type { BatchFormat } from '../definitions/types/batch-format.js';
import type { RepeatableBody } from '../transport/upstream-request.js';
import type { CreationCheck } from './creation-check.js';

/** The signal and the id of one call of a batch API. */
export interface BatchCall {
  /** Sent as `x-request-id`. */
  readonly requestId: string;
  readonly signal: CancelSignal;
}

/** One line of a part. */
export interface PartLine {
  readonly customId: string;
  /** The endpoint, see `endpointOf`. */
  readonly endpoint: string;
  /** The request's body, as JSON text without line breaks. */
  readonly body: string;
}

/** A part to create at the provider. */
export interface NewPart {
  /** The gateway's id, by which the part is found again. */
  readonly id: string;
  readonly endpoint: string;
  readonly upstreamModel: string;
  /** Headers of the client's format that hold for all lines, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Lines that `line` wrote, one after the other, each with the separator behind it but the last. */
  readonly lines: RepeatableBody;
  readonly creation: CreationCheck;
}

/** What the gateway keeps of a part that was created. */
export interface PartReceipt {
  /** The provider's id of the batch. */
  readonly id: string;
}

/** By which a part is looked for whose creation had no response. */
export interface LostPart {
  readonly id: string;
  /** Epoch milliseconds: when it may have been created, at the earliest. */
  readonly since: number;
  readonly lineCount: number;
  /** The provider's ids of all other parts. */
  readonly known: ReadonlySet<string>;
}

/** How far a part has come. */
export interface PartState {
  /** Nothing more will come of it: it was completed, or it expired, failed or was cancelled. */
  readonly isEnded: boolean;
  /** The provider's own word. */
  readonly status: string;
  /** Where its results are; ids of files or addresses. Empty where there are none. */
  readonly outputs: readonly string[];
  /** Files of the part, which are deleted when it has been read. */
  readonly files: readonly string[];
  /** Why the provider failed it; undefined otherwise. */
  readonly error?: string | undefined;
}

/** The result of one line. */
export interface PartResult {
  readonly customId: string;
  /** The response; undefined where the provider did not process the line. */
  readonly response: { readonly status: number; readonly text: string } | undefined;
}

/**
 * A provider's own batch API. Failures are GatewayErrors as for any call of the provider. A creation without a response may have
 * happened: `find` looks for it before another.
 */
export abstract class BatchApi {
  readonly maxLines: number;
  /** Bytes of all lines. */
  readonly maxBytes: number;
  /** Fewest lines of a part. Fewer go on to the next tier. */
  readonly minLines: number;
  /** What stands between two lines. */
  abstract readonly separator: string;

  constructor(protected readonly format: BatchFormat) {
    const { maxLines, maxBytes, minLines = 1 } = format;
    this.minLines = minLines;
    this.maxLines = maxLines;
    this.maxBytes = maxBytes;
  }

  /** The endpoint of a request's path; undefined where no batch can have it. */
  endpointOf(path: string): string | undefined {
    const plain = path.replace(/\?.*$/, '');
    return this.format.endpoints.find((each) => plain.endsWith(each));
  }

  /** Undefined where no batch can have the request. */
  abstract line(line: PartLine): string | undefined;

  /** @throws also what `part.creation` throws, after which nothing was created */
  abstract create(part: NewPart, call: BatchCall): Promise<PartReceipt>;

  /** @returns the provider's id of a part that was created; undefined where it was not */
  abstract find(part: LostPart, call: BatchCall): Promise<string | undefined>;

  abstract state(id: string, call: BatchCall): Promise<PartState>;

  /** Also where the part has ended meanwhile. */
  abstract cancel(id: string, call: BatchCall): Promise<void>;

  /** The results of an output in any order; undefined for a line that cannot be read. */
  abstract results(output: string, call: BatchCall): AsyncIterable<PartResult | undefined>;

  /** Deletes a file of a part. */
  abstract deleteFile(id: string, call: BatchCall): Promise<void>;

  abstract close(): Promise<void>;
}
