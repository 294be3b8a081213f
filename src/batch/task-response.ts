import { printExact } from '../runtime/exact-integers.js';

/** Dropped parameters listed in the result of one task, and characters of each name. */
const MAX_WARNINGS = 50;
const MAX_NAME_CHARACTERS = 200;

/** The `response` of a task's result, as JSON text. */
export function taskResponse(requestId: string, body: unknown, droppedParams: readonly string[]): string {
  return printExact({
    status_code: 200,
    request_id: requestId,
    body,
    ...(droppedParams.length > 0 && { warnings: droppedParams.slice(0, MAX_WARNINGS).map(toWarning) }),
  });
}

/** The warning that the task was run without this part of its request. */
function toWarning(name: string): { code: string; param: string; message: string } {
  const param = name.slice(0, MAX_NAME_CHARACTERS);
  return {
    code: 'dropped_param',
    param,
    message: `'${param}' was not sent, because the provider cannot take it or the key may not choose it.`,
  };
}
