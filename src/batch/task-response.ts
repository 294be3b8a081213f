import { parseExact, printExact } from '../runtime/exact-integers.js';

/** Dropped parameters listed in the result of one task, and characters of each name. */
const MAX_WARNINGS = 50;
const MAX_NAME_CHARACTERS = 200;

const LINE_BREAK = /[\n\r]/;

/** The `response` of a task's result, as JSON text. @param body JSON text, which may be a provider's own */
export function taskResponse(requestId: string, body: string, droppedParams: readonly string[]): string {
  // Results are sent one a line. Between members a provider may break lines; in JSON strings there are none.
  const line = LINE_BREAK.test(body) ? printExact(parseExact(body)) : body;
  const warnings =
    droppedParams.length === 0
      ? ''
      : `,"warnings":${JSON.stringify(droppedParams.slice(0, MAX_WARNINGS).map(toWarning))}`;
  return `{"status_code":200,"request_id":${JSON.stringify(requestId)},"body":${line}${warnings}}`;
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
