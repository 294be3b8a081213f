import { markWithin } from '../../runtime/exact-integers.js';

/** Where Anthropic, Bedrock and Gemini have the arguments of a tool call as an object, which the packages parse and print. */
const TOOL_ARGUMENTS: ReadonlySet<string> = new Set(['input', 'args']);
const LINE_FEED = 0x0a;
const LONG_NUMBER = /\d{16}/;
const DATA_LINE = /^(data: ?)(.*)$/gm;
const NOTHING = Buffer.alloc(0);

/** A whole response with marks at the integers of tool arguments that the package would round. */
export function withExactArguments(json: string): string {
  return markWithin(json, TOOL_ARGUMENTS);
}

/** The same for the lines of an event stream, however its bytes are cut. A line is given on when it is complete. */
export class ExactEventLines {
  private rest: Buffer = NOTHING;

  push(chunk: Buffer): Buffer {
    const end = chunk.lastIndexOf(LINE_FEED) + 1;
    const before = this.rest;
    if (end === 0) {
      this.rest = Buffer.concat([before, chunk]);
      return NOTHING;
    }
    this.rest = chunk.subarray(end);
    return withExactLines(
      before.length === 0 ? chunk.subarray(0, end) : Buffer.concat([before, chunk.subarray(0, end)]),
    );
  }

  end(): Buffer {
    return withExactLines(this.rest);
  }
}

function withExactLines(lines: Buffer): Buffer {
  // A byte is a character here, which is enough to find digits.
  if (!LONG_NUMBER.test(lines.toString('latin1'))) return lines;
  const text = lines.toString('utf8');
  return Buffer.from(text.replace(DATA_LINE, (_line, name: string, json: string) => name + withExactArguments(json)));
}
