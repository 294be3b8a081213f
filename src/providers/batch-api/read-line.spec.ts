import fc from 'fast-check';
import { linesOf } from './lines-of.js';
import { readAnthropicLine, readContentLine, readOpenAiLine, readPredictionLine, readRecordLine } from './read-line.js';

async function* piecesOf(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer[]> {
  let start = 0;
  for (let index = 0; start < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    // The same memory each time, as a reader may use it.
    yield [bytes.subarray(start, start + size)];
    start += size;
    await Promise.resolve();
  }
}

describe('the lines of a download', () => {
  it('are the same in pieces of any size, and empty ones are left out', async () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replaceAll(/[\r\n]/g, ''));
    await fc.assert(
      fc.asyncProperty(
        fc.array(line),
        fc.constantFrom('\n', '\r\n'),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        async (lines, end, sizes) => {
          const expected = lines.map((each) => each.trim()).filter((each) => each !== '');
          const found: string[] = [];
          for await (const each of linesOf(piecesOf(Buffer.from(lines.join(end)), sizes))) found.push(each);
          expect(found).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a line of results', () => {
  it.each([
    ['{"custom_id":"a","response":{"status_code":200,"body":{"x":1}},"error":null}', 200],
    ['{"id":"r","custom_id":"a","response":{"status_code":429,"request_id":"q","body":{"error":{}}}}', 429],
    ['{"custom_id":"a","response":null,"error":{"code":"batch_expired","message":"late"}}', undefined],
    ['{"custom_id":"a","response":{"status_code":200,"body":"text"}}', undefined],
    ['{"custom_id":"a","response":{"status_code":0,"body":{"x":1}}}', undefined],
    ['{"custom_id":"a","response":{"status_code":-200,"body":{"x":1}}}', undefined],
    ['{"custom_id":"a","response":{"status_code":"200","body":{"x":1}}}', undefined],
  ])('of OpenAI: %s', (line, status) => {
    const result = readOpenAiLine(line);
    expect(result?.customId).toBe('a');
    expect(result?.response?.status).toBe(status);
  });

  it.each([
    ['{"custom_id":"a","result":{"type":"succeeded","message":{"id":"m"}}}', 200],
    [
      '{"custom_id":"a","result":{"type":"errored","error":{"type":"error","error":{"type":"invalid_request_error"}}}}',
      400,
    ],
    ['{"custom_id":"a","result":{"type":"errored","error":{"type":"overloaded_error"}}}', 529],
    ['{"custom_id":"a","result":{"type":"errored","error":{"type":"error","error":{"type":"new_error"}}}}', 500],
    ['{"custom_id":"a","result":{"type":"canceled"}}', undefined],
    ['{"custom_id":"a","result":{"type":"expired"}}', undefined],
  ])('of Anthropic: %s', (line, status) => {
    const result = readAnthropicLine(line);
    expect(result?.customId).toBe('a');
    expect(result?.response?.status).toBe(status);
  });

  it.each([
    ['{"key":"a","response":{"candidates":[]}}', 200],
    ['{"metadata":{"key":"a"},"response":{"candidates":[]}}', 200],
    ['{"key":"a","error":{"code":3,"message":"Bad"}}', 400],
    ['{"key":"a","status":{"code":14,"message":"Busy"}}', 503],
    ['{"key":"a","error":{"code":429,"message":"Slow down"}}', 429],
    ['{"key":"a","error":{"code":4}}', 504],
    ['{"key":"a","error":{"code":99}}', 500],
    ['{"key":"a","error":{"message":"No code"}}', 500],
    ['{"key":"a","error":{"code":1,"message":"Cancelled"}}', undefined],
  ])('of Gemini: %s', (line, status) => {
    const result = readContentLine(line);
    expect(result?.customId).toBe('a');
    expect(result?.response?.status).toBe(status);
    if (status !== undefined && status !== 200) {
      expect(JSON.parse(result?.response?.text ?? '')).toMatchObject({ error: { code: status } });
    }
  });

  it.each([
    ['{"recordId":"a","modelInput":{},"modelOutput":{"output":{}}}', 200],
    ['{"recordId":"a","error":{"errorCode":400,"errorMessage":"bad request"}}', 400],
    ['{"recordId":"a","error":{"errorCode":"503","errorMessage":"busy"}}', 503],
    ['{"recordId":"a","error":{"errorMessage":"no code"}}', 500],
    ['{"recordId":"a","modelInput":{}}', undefined],
  ])('of Bedrock: %s', (line, status) => {
    const result = readRecordLine(line);
    expect(result?.customId).toBe('a');
    expect(result?.response?.status).toBe(status);
  });

  const request = '"request":{"labels":{"gateway_line":"a"}}';
  it.each([
    [`{"status":"",${request},"response":{"candidates":[]}}`, 200],
    [`{"status":"Bad Request: {\\"error\\":{\\"code\\":400}}",${request},"response":{}}`, 400],
    [`{"status":"429 Resource exhausted",${request}}`, 429],
    [`{"status":"Something went wrong after 60000 ms",${request},"response":{}}`, 500],
    [`{"status":{"code":14,"message":"Busy"},${request}}`, 503],
    [`{${request},"response":{"error":{"code":404,"message":"No"}}}`, 404],
    [`{${request},"response":{},"status":""}`, undefined],
    ['{"custom_id":"a","request":{},"response":{"id":"m"},"status":""}', 200],
    ['{"custom_id":"a","request":{},"response":{"type":"error","error":{"type":"overloaded_error"}},"status":""}', 529],
  ])('of Vertex AI: %s', (line, status) => {
    const result = readPredictionLine(line);
    expect(result?.customId).toBe('a');
    expect(result?.response?.status).toBe(status);
  });

  it('keeps integers beyond 2^53', () => {
    const { text } = readOpenAiLine(
      '{"custom_id":"a","response":{"status_code":200,"body":{"n":12345678901234567890}}}',
    )?.response ?? { text: '' };
    expect(text).toBe('{"n":12345678901234567890}');
  });

  it('that is cut or is no JSON object is none, and never throws', () => {
    const whole = '{"custom_id":"a","response":{"status_code":200,"body":{"x":"y"}},"error":null}';
    for (let length = 0; length < whole.length; length += 1) {
      expect(readOpenAiLine(whole.slice(0, length))).toBeUndefined();
    }
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        readOpenAiLine(text);
        readAnthropicLine(text);
        readContentLine(text);
        readRecordLine(text);
        readPredictionLine(text);
      }),
    );
  });
});
