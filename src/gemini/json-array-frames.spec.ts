import { invalidRequest } from '../errors/gateway-error.js';
import { JsonArrayFrames } from './json-array-frames.js';

function framesOf(ended = ''): JsonArrayFrames<string> {
  const writer = { write: () => '', ping: () => '\n', end: () => '', error: () => 'data: {"error":{}}\n\n' };
  return new JsonArrayFrames<string>({ writer, write: (text) => text, end: () => ended });
}

describe('a stream as a JSON array', () => {
  it.each([
    [
      ['data: {"a":1}\n\n', 'data: {"a":2}\n\ndata: {"a":3}\n\n'],
      [{ a: 1 }, { a: 2 }, { a: 3 }],
    ],
    [[': comment\n\n', 'event: x\r\ndata: {"a":1}\r\n\r\n'], [{ a: 1 }]],
    [[], []],
  ])('%j', (events, expected) => {
    const frames = framesOf();
    const text = events.map((each) => frames.writer.ping() + frames.write(each)).join('') + frames.end();
    expect(JSON.parse(text)).toEqual(expected);
  });

  it('is whole after a last event and after an error, begun or not', () => {
    const last = framesOf('data: {"b":1}\n\n');
    expect(JSON.parse(last.write('data: {"a":1}\n\n') + last.end())).toEqual([{ a: 1 }, { b: 1 }]);
    const error = invalidRequest('x', null);
    for (const events of ['', 'data: {"a":1}\n\n']) {
      const broken = framesOf();
      expect((JSON.parse(broken.write(events) + broken.writer.error(error)) as unknown[]).at(-1)).toEqual({
        error: {},
      });
    }
  });
});
