import fc from 'fast-check';
import type { ShownError } from '../task-errors.js';
import type { ResultRow } from '../results/result-reader.js';
import { taskResponse } from '../task-response.js';
import { MESSAGE_RESULTS } from './message-result.js';

/** A line as the reader makes it. */
function lineOf(row: Partial<ResultRow>, response: string | null, error?: ShownError): string {
  const whole = { custom_id: 'a', status: 'succeeded', ...row, has_response: response === null ? 0 : 1 } as ResultRow;
  const bytes = Buffer.from(response ?? '');
  const passed = response === null ? bytes : bytes.subarray(MESSAGE_RESULTS.skip?.(bytes));
  return `${MESSAGE_RESULTS.head(whole)}${passed.toString()}${MESSAGE_RESULTS.tail(whole, error, undefined)}`;
}

describe('a line of the results of a message batch', () => {
  it('has the message as it was stored, and what was not sent, for any text in it and in the ids', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('"body":', '\\"body":', '{"body":{}}'));
    fc.assert(
      fc.property(text, text, text, fc.boolean(), (customId, requestId, content, isWarned) => {
        const message = { type: 'message', body: content, content: [{ type: 'text', text: content }] };
        const response = taskResponse(requestId, JSON.stringify(message), isWarned ? ['top_k'] : []);
        const line = lineOf({ custom_id: customId }, response);
        expect(line.endsWith('\n')).toBe(true);
        expect(line.slice(0, -1)).not.toMatch(/[\n\r]/);
        const { warnings } = JSON.parse(response) as { warnings?: unknown };
        expect(JSON.parse(line)).toEqual({
          custom_id: customId,
          result: { type: 'succeeded', message, ...(isWarned && { warnings }) },
        });
      }),
    );
  });

  it.each([
    ['cancelled', undefined, { type: 'canceled' }],
    ['expired', '{"type":"api_error","message":"late"}', { type: 'expired' }],
    [
      'failed',
      '{"type":"overloaded_error","message":"x"}',
      {
        type: 'errored',
        error: { type: 'error', error: { type: 'overloaded_error', message: 'x' }, request_id: 'req_1' },
      },
    ],
    [
      'failed',
      undefined,
      {
        type: 'errored',
        error: { type: 'error', error: { type: 'api_error', message: 'The request failed.' }, request_id: null },
      },
    ],
  ])('of a task that is %s says why', (status, error, result) => {
    const shown = error === undefined ? undefined : { error, statusCode: 500, requestId: 'req_1' };
    expect(JSON.parse(lineOf({ status }, null, shown))).toEqual({ custom_id: 'a', result });
  });
});
