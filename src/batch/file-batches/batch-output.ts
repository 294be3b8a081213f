import { linesOf, type ResultFormat } from '../results/result-format.js';
import type { ResultTotals } from './result-totals.js';

/** Why a request has no response, by the status of its task. */
const REASONS: Readonly<Record<string, { code: string; message: string }>> = {
  expired: {
    code: 'batch_expired',
    message: 'This request could not be executed before the completion window expired.',
  },
  cancelled: { code: 'batch_cancelled', message: 'This request was not executed, because the batch was cancelled.' },
};
/** Of a failed task without an error. */
const UNKNOWN = {
  error: '{"message":"The request failed.","type":"server_error","param":null,"code":null}',
  statusCode: 500,
  requestId: null,
};

/**
 * Lines of OpenAI's output and error files: `{"id", "custom_id", "response": {"status_code", "request_id", "body"}, "error"}`. A stored
 * response passes through as it is. The error of a request is the body of a response, as its endpoint writes it.
 *
 * @param jobId makes the ids of the lines
 * @param totals takes the usage of responses and the errors of failed requests
 */
export function batchOutput(jobId: string, totals?: ResultTotals): ResultFormat {
  const prefix = `batch_req_${jobId.slice(jobId.indexOf('_') + 1)}_`;
  return linesOf({
    needsUsage: totals !== undefined,
    head: (row) => `{"id":"${prefix}${row.task_index}","custom_id":${JSON.stringify(row.custom_id)},"response":`,
    tail: (row, error, usage) => {
      if (usage !== undefined) totals?.addUsage(usage);
      if (row.has_response === 1) return ',"error":null}';
      const reason = REASONS[row.status];
      if (reason !== undefined) return `null,"error":${JSON.stringify(reason)}}`;
      const { error: detail, statusCode, requestId } = error ?? UNKNOWN;
      totals?.addError(detail);
      return `{"status_code":${statusCode},"request_id":${JSON.stringify(requestId ?? '')},"body":{"error":${detail}}},"error":null}`;
    },
  });
}
