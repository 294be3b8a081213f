import { linesOf, type ResultFormat } from '../results/result-format.js';

/** Why a line has no response, by the status of its task. */
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
 */
export const BATCH_OUTPUT: ResultFormat = linesOf({
  needsUsage: false,
  head: (row) => `{"id":"batch_req_${row.task_index}","custom_id":${JSON.stringify(row.custom_id)},"response":`,
  tail: (row, error) => {
    if (row.has_response === 1) return ',"error":null}';
    const reason = REASONS[row.status];
    if (reason !== undefined) return `null,"error":${JSON.stringify(reason)}}`;
    const { error: detail, statusCode, requestId } = error ?? UNKNOWN;
    return `{"status_code":${statusCode},"request_id":${JSON.stringify(requestId ?? '')},"body":{"error":${detail}}},"error":null}`;
  },
});
