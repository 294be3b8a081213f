const LINE_FEED = 10;

/** The lines of a body that comes in pieces, as UTF-8. Empty lines are left out. */
export async function* linesOf(groups: AsyncIterable<readonly Buffer[]>): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  for await (const group of groups) {
    for (const chunk of group) {
      let start = 0;
      for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
        rest.push(chunk.subarray(start, end));
        const line = Buffer.concat(rest).toString('utf8').trim();
        rest = [];
        if (line !== '') yield line;
        start = end + 1;
      }
      // Copied, because the reader may reuse the memory of the chunk.
      if (start < chunk.length) rest.push(Buffer.from(chunk.subarray(start)));
    }
  }
  const last = Buffer.concat(rest).toString('utf8').trim();
  if (last !== '') yield last;
}
