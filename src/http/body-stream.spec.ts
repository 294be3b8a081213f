import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { streamBody } from './body-stream.js';

const LIMIT = { maxBytes: 10_000_000, advice: '' };
const turn = (): Promise<void> => new Promise(setImmediate);

/** What a slow sink has received when the body is reported complete. */
async function takeSlowly(request: IncomingMessage, turns: number): Promise<Buffer> {
  const taken: Buffer[] = [];
  await streamBody(request, LIMIT, {
    write: async (chunk) => {
      const copy = Buffer.from(chunk);
      for (let count = 0; count < turns; count += 1) await turn();
      taken.push(copy);
    },
  });
  return Buffer.concat(taken);
}

describe('streamBody', () => {
  const outcomes: Promise<Buffer>[] = [];
  let turnsOfRequest = 0;
  let turnsOfSink = 0;
  const server = createServer((request, response) => {
    const outcome = (async () => {
      for (let count = 0; count < turnsOfRequest; count += 1) await turn();
      return takeSlowly(request, turnsOfSink);
    })();
    outcomes.push(outcome);
    outcome.then(
      () => response.end(),
      () => response.writeHead(400).end(),
    );
  });
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => server.close());

  /** Sends a body in pieces of its own choice, the first along with the headers. */
  async function send(body: Buffer, splits: readonly number[], encoding: string): Promise<void> {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const head = `POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${body.length}\r\n${encoding}\r\n`;
    let start = 0;
    let before = Buffer.from(head);
    for (const end of [...splits.map((split) => split % (body.length + 1)).sort((a, b) => a - b), body.length]) {
      socket.write(Buffer.concat([before, body.subarray(start, end)]));
      before = Buffer.alloc(0);
      start = end;
      await turn();
    }
    socket.resume();
    await once(socket, 'close');
  }

  it('ends when the sink has taken the last byte, however the body comes and however long the sink takes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 200_000, size: 'max' }),
        fc.array(fc.nat(), { maxLength: 4 }),
        fc.nat(3),
        fc.nat(6),
        fc.boolean(),
        async (bytes, splits, ofRequest, ofSink, isCompressed) => {
          [turnsOfRequest, turnsOfSink] = [ofRequest, ofSink];
          outcomes.length = 0;
          const body = isCompressed ? gzipSync(bytes) : Buffer.from(bytes);
          await send(body, splits, isCompressed ? 'content-encoding: gzip\r\n' : '');
          expect(Buffer.compare(await outcomes[0]!, bytes)).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('fails with the fault of a sink that comes after the end of the body', async () => {
    const failing = createServer((request, response) => {
      setImmediate(() => {
        const write = async (): Promise<void> => {
          await turn();
          await turn();
          throw new Error('refused');
        };
        streamBody(request, LIMIT, { write }).then(
          () => response.end('whole'),
          (error: unknown) => response.end(error instanceof Error ? error.message : '?'),
        );
      });
    });
    failing.listen(0, '127.0.0.1');
    await once(failing, 'listening');
    const { port } = failing.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body: 'x'.repeat(100) });
    expect(await response.text()).toBe('refused');
    failing.close();
  });
});
