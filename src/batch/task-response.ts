import { printExact } from '../runtime/exact-integers.js';

/** Dropped parameters that the result of one task names, and characters of each name. */
const MOST_WARNINGS = 50;
const LONGEST_NAME = 200;

/** The `response` of a task's result, as JSON text. */
export function taskResponse(requestId: string, body: unknown, droppedParams: readonly string[]): string {
  return printExact({
    status_code: 200,
    request_id: requestId,
    body,
    ...(droppedParams.length > 0 && { warnings: droppedParams.slice(0, MOST_WARNINGS).map(toWarning) }),
  });
}

/** Part of a task's result: the task succeeded without this part of its request. */
function toWarning(name: string): { code: string; param: string; message: string } {
  const param = name.slice(0, LONGEST_NAME);
  return {
    code: 'dropped_param',
    param,
    message: `'${param}' was not sent, because the provider cannot take it or the key may not choose it.`,
  };
}
