import { taskResponse } from './task-response.js';

describe('the response of a task', () => {
  it('has the body as it is', () => {
    const body = '{"a":9007199254740993, "b":"\\n"}';
    expect(taskResponse('req_1', body, [])).toBe(`{"status_code":200,"request_id":"req_1","body":${body}}`);
  });

  it('is one line where a provider breaks its own', () => {
    const text = taskResponse('req_1', '{\r\n  "a": 9007199254740993,\n  "b": "x\\ny"\n}', []);
    expect(text).not.toMatch(/[\n\r]/);
    expect(text).toContain('9007199254740993');
    expect(JSON.parse(text)).toMatchObject({ body: { b: 'x\ny' } });
  });

  it('names what was not sent, up to a bound', () => {
    const { warnings } = JSON.parse(
      taskResponse('req_1', '{}', ['top_k', ...Array.from({ length: 99 }, (_, index) => `${'x'.repeat(500)}${index}`)]),
    ) as { warnings: { code: string; param: string; message: string }[] };
    expect(warnings).toHaveLength(50);
    expect(warnings[0]).toEqual({
      code: 'dropped_param',
      param: 'top_k',
      message: "'top_k' was not sent, because the provider cannot take it or the key may not choose it.",
    });
    expect(warnings[1]?.param).toHaveLength(200);
  });
});
