import type { ResultRow } from '../results/result-reader.js';
import type { ShownError } from '../task-errors.js';
import { taskResponse } from '../task-response.js';
import { batchOutput } from './batch-output.js';

const FORMAT = batchOutput('batch_0a');

function lineOf(status: string, response: string | null, error?: ShownError): unknown {
  const row = { custom_id: 'a"b', task_index: 3, status, has_response: response === null ? 0 : 1 } as ResultRow;
  const line = `${FORMAT.head(row)}${response ?? ''}${FORMAT.tail(row, error, undefined)}`;
  expect(line.indexOf('\n')).toBe(line.length - 1);
  return JSON.parse(line);
}

describe('a line of an output file', () => {
  const base = { id: 'batch_req_0a_3', custom_id: 'a"b' };

  it('has the response as it was stored', () => {
    const response = taskResponse('req_1', '{"object":"chat.completion"}', ['top_k']);
    expect(lineOf('succeeded', response)).toEqual({ ...base, response: JSON.parse(response) as unknown, error: null });
  });

  it('of a request that failed has the response of its endpoint', () => {
    const shown = { error: '{"message":"no","type":"t","param":null,"code":"c"}', statusCode: 429, requestId: 'req_2' };
    expect(lineOf('failed', null, shown)).toEqual({
      ...base,
      response: {
        status_code: 429,
        request_id: 'req_2',
        body: { error: { message: 'no', type: 't', param: null, code: 'c' } },
      },
      error: null,
    });
    expect(lineOf('failed', null)).toMatchObject({ response: { status_code: 500, request_id: '' }, error: null });
  });

  it.each([
    ['expired', 'batch_expired'],
    ['cancelled', 'batch_cancelled'],
  ])('of a request that is %s says so', (status, code) => {
    const line = lineOf(status, null, { error: '{"message":"x"}', statusCode: 500, requestId: null });
    expect(line).toMatchObject({ ...base, response: null, error: { code } });
  });
});
