import { linesOf, type ResultFormat } from '../results/result-format.js';

/** What precedes the message in a stored response: `{"status_code":200,"request_id":"req_...","body":`. */
const BODY = '"body":';

/** The `result` of a request that has no message, by the status of its task. */
const WITHOUT_MESSAGE: Readonly<Record<string, string>> = {
  cancelled: '{"type":"canceled"}',
  expired: '{"type":"expired"}',
};
/** Of a failed task without an error. */
const UNKNOWN_ERROR = '{"type":"api_error","message":"The request failed."}';

/**
 * Results in the form of Anthropic's Message Batches: `{"custom_id", "result": {"type": "succeeded", "message": {...}}}`. Of the stored
 * response only what precedes its body is left out, so that the message passes through in pieces as it is, and `warnings` follow it
 * where there are any.
 */
export const MESSAGE_RESULTS: ResultFormat = linesOf({
  needsUsage: false,
  head: ({ custom_id: customId, has_response: hasResponse }) =>
    `{"custom_id":${JSON.stringify(customId)},"result":${hasResponse === 1 ? '{"type":"succeeded","message":' : ''}`,
  // An escaped quote precedes any such text in the id of the request, so the first one found is the member.
  skip: (start) => start.indexOf(BODY) + BODY.length,
  tail: ({ has_response: hasResponse, status }, error) => {
    if (hasResponse === 1) return '}';
    const { error: detail, requestId } = error ?? { error: UNKNOWN_ERROR, requestId: null };
    const failed = `{"type":"errored","error":{"type":"error","error":${detail},"request_id":${JSON.stringify(requestId)}}}`;
    return `${WITHOUT_MESSAGE[status] ?? failed}}`;
  },
});
