import type { ShownError } from '../task-errors.js';
import type { ResultRow } from './result-reader.js';

/**
 * How results are written: `head`, then the stored response, then `tail`. The response, which may be of any size, is JSON text of
 * `{status_code, request_id, body}` that is passed on in pieces as it was stored.
 */
export interface ResultFormat {
  /** Whether `tail` gets the `usage` of the response's body, which has to be searched for. */
  readonly needsUsage: boolean;
  readonly head: (row: ResultRow) => string;
  /** Bytes of the stored response that are left out at its start. @param start its first piece */
  readonly skip?: (start: Buffer) => number;
  /**
   * @param error as its endpoint writes it; undefined where there is none
   * @param usage JSON text; undefined where there is none
   */
  readonly tail: (row: ResultRow, error: ShownError | undefined, usage: string | undefined) => string;
}

/** The results of `/v1/batch`. */
export const OWN_FORMAT: ResultFormat = {
  needsUsage: true,
  head: ({ task_index: index, custom_id: customId, status }) =>
    `{"index":${index},"custom_id":${JSON.stringify(customId)},"status":"${status}","response":`,
  tail: (row, error, usage) =>
    `${row.has_response === 1 ? '' : 'null'},${errorMembers(error)},"attempts":${row.attempts},"usage":${usage ?? 'null'}}`,
};

/** The members that say why a task has no response. */
function errorMembers(shown: ShownError | undefined): string {
  if (shown === undefined) return '"error":null';
  const { error, statusCode, requestId } = shown;
  return `"error":${error},"status_code":${statusCode},"request_id":${JSON.stringify(requestId)}`;
}

/** The same, each followed by a line break. */
export function linesOf(format: ResultFormat): ResultFormat {
  return { ...format, tail: (...result) => `${format.tail(...result)}\n` };
}
