import fc from 'fast-check';
import { restoreIntegers } from '../../runtime/exact-integers.js';
import { ExactEventLines, withExactArguments } from './exact-arguments.js';

const ID = '2512292042121000001';

describe('the integers of tool arguments', () => {
  it.each([
    [`{"content":[{"type":"tool_use","input":{"id":${ID}}}],"created":${ID}}`],
    [`{"output":{"message":{"content":[{"toolUse":{"input":{"ids":[-${ID}]}}}]}}}`],
    [`{"candidates":[{"content":{"parts":[{"functionCall":{"args":{"é":{"id":${ID}}}}}]}}]}`],
  ])('keep their digits through a package that parses and prints them: %s', (text) => {
    const printed = restoreIntegers(JSON.stringify(JSON.parse(withExactArguments(text))));
    expect(printed.match(/(?:"id":|\[-?)(\d+)/)?.[1]).toBe(ID);
    // The package expects a number there, and gets one.
    if (text.includes('created'))
      expect(typeof (JSON.parse(withExactArguments(text)) as { created: unknown }).created).toBe('number');
  });

  it('keep them in an event stream, however its bytes are cut', () => {
    const args = `{"functionCall":{"args":{"é":"${ID}","id":${ID}}}}`;
    const text = `event: x\r\ndata: ${args}\r\n\r\n: ${ID}\ndata:${args}\n\ndata: [DONE]\n\ndata: rest`;
    const bytes = Buffer.from(text);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: bytes.length })), (cuts) => {
        const lines = new ExactEventLines();
        const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const out = places.slice(1).map((end, at) => lines.push(bytes.subarray(places[at], end)));
        const whole = Buffer.concat([...out, lines.end()]).toString();
        expect(restoreIntegers(whole)).toBe(text);
        expect(whole.includes(`"id":${ID}`)).toBe(false);
      }),
    );
  });
});
