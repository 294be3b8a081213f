import fc from 'fast-check';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from '../../../test/fixtures/until.js';
import { failure, TIMEOUTS } from '../../../test/upstreams/provider-calls.js';
import { upstreamError } from '../../errors/gateway-error.js';
import { UpstreamPool } from './upstream-pool.js';
import type { UpstreamRequest } from './upstream-request.js';
import { type StreamProgress, UpstreamItemStream } from './upstream-item-stream.js';

/** An item is a line. `#` is a comment, `!` an error, `usage` is held back until the end, `end` is the last item. */
class LineStream extends UpstreamItemStream<string> {
  private rest = '';
  private held: string | undefined;

  protected override read(bytes: Buffer, items: string[]): StreamProgress {
    const lines = `${this.rest}${bytes.toString('latin1')}`.split('\n');
    this.rest = lines.pop() ?? '';
    let progress: StreamProgress = this.hasBegun ? 'begun' : 'waiting';
    for (const line of lines) {
      if (line.startsWith('#')) continue;
      if (line === '!') throw upstreamError({ message: 'The provider reports an error.' });
      this.hasBegun = true;
      progress = 'begun';
      if (line === 'usage') {
        this.held = line;
        progress = 'ending';
        continue;
      }
      if (this.held !== undefined && line === 'end') items.push(this.held);
      items.push(line);
      if (line === 'end') return 'over';
    }
    return progress;
  }

  protected override readEnd(items: string[]): void {
    if (this.rest !== '') throw upstreamError({ message: 'The last line is cut.' });
    if (this.held !== undefined) items.push(this.held);
  }

  protected override readBreak(items: string[]): boolean {
    if (this.held === undefined) return false;
    items.push(this.held);
    return true;
  }

  private hasBegun = false;
}

let server: Server;
let pool: UpstreamPool;
let received = 0;
let closed = 0;
let connections = 0;
let respond: (response: ServerResponse, request: IncomingMessage) => void;

beforeAll(async () => {
  server = createServer((request, response) => {
    received += 1;
    response.on('close', () => {
      if (!response.writableEnded) closed += 1;
    });
    respond(response, request);
  });
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  pool = new UpstreamPool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  received = 0;
  closed = 0;
  connections = 0;
});
afterEach(() => pool.close());

interface Options extends Partial<Pick<UpstreamRequest, 'signal' | 'timeouts'>> {
  readonly maxBytes?: number;
}

function lines({ maxBytes = 1_000_000_000, ...request }: Options = {}): LineStream {
  const whole: UpstreamRequest = {
    method: 'POST',
    path: '/lines',
    headers: [],
    body: Buffer.from('{}'),
    timeouts: TIMEOUTS,
    signal: new AbortController().signal,
    ...request,
  };
  return new LineStream(pool, whole, { maxBytes, highWaterBytes: 10_000, redact: (text) => text });
}

/** The items until the end or the failure, and the failure. */
async function drain(stream: AsyncIterable<readonly string[]>): Promise<{ items: string[]; error: unknown }> {
  const items: string[] = [];
  try {
    for await (const group of stream) items.push(...group);
  } catch (error) {
    return { items, error };
  }
  return { items, error: undefined };
}

describe('opening', () => {
  it('resolves with the first item, not with headers or comments', async () => {
    let send = (_text: string): void => undefined;
    respond = (response) => {
      response.writeHead(200, { 'x-served-by': 'one' }).write('# hello\n');
      send = (text) => response.write(text);
    };
    let isOpen = false;
    const opening = lines().open();
    void opening.then(() => (isOpen = true));
    await until(() => received === 1);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(isOpen).toBe(false);
    send('a\nb\n');
    const stream = await opening;
    expect(stream).toMatchObject({ status: 200, headers: { 'x-served-by': 'one' } });
    expect(await stream.next()).toEqual({ done: false, value: ['a', 'b'] });
    await stream.return();
  });

  it('rejects with the error response of the provider, or with what breaks before the first item', async () => {
    respond = (response) => {
      response.writeHead(429, { 'retry-after': '3' }).end('{"error":{"message":"slow down"}}');
    };
    expect(await failure(lines().open())).toMatchObject({ status: 429, retryable: true, retryAfterMs: 3_000 });
    respond = (response) => {
      response.write('# hello\n', () => response.socket?.destroy());
    };
    expect(await failure(lines().open())).toMatchObject({ status: 502, retryable: true });
    respond = (response) => {
      response.end('a\n!\n');
    };
    // The item was generated, although nothing is sent.
    expect(await failure(lines().open())).toMatchObject({
      message: 'The provider reports an error.',
      mayBeBilled: true,
    });
    respond = (response) => {
      response.end('# hello\n!\n');
    };
    expect(await failure(lines().open())).toMatchObject({
      message: 'The provider reports an error.',
      mayBeBilled: false,
    });
    respond = (response) => {
      response.end('cut');
    };
    expect(await failure(lines().open())).toMatchObject({ message: 'The last line is cut.' });
  });

  it('resolves with the end of a response without items', async () => {
    respond = (response) => {
      response.end('# nothing\n');
    };
    expect(await drain(await lines().open())).toEqual({ items: [], error: undefined });
  });

  it('ends a silent provider by the timeout of the phase', async () => {
    respond = (response) => {
      response.write('# hello\n');
    };
    const silent = failure(lines({ timeouts: { ...TIMEOUTS, firstByte: 50 } }).open());
    expect(await silent).toMatchObject({ code: 'upstream_timeout' });
    respond = (response) => {
      response.write('a\n');
    };
    const stream = await lines({ timeouts: { ...TIMEOUTS, idle: 50 } }).open();
    expect(await drain(stream)).toMatchObject({ items: ['a'], error: { code: 'upstream_timeout' } });
  });
});

describe('the end', () => {
  it('is the last item, whenever the body ends, and the connection is used again', async () => {
    respond = (response) => {
      response.write('a\nend\nignored\n');
      setTimeout(() => response.end(), 20);
    };
    const make = async (): Promise<boolean> => {
      const before = connections;
      expect(await drain(await lines().open())).toEqual({ items: ['a', 'end'], error: undefined });
      return connections === before;
    };
    expect(await make()).toBe(false);
    // A call that begins before the body of the one before has ended has a connection of its own.
    await until(make);
  });

  it('is what the subclass makes of the end of the body, or of a broken connection', async () => {
    respond = (response) => {
      response.end('a\nusage\n');
    };
    expect(await drain(await lines().open())).toEqual({ items: ['a', 'usage'], error: undefined });
    respond = (response) => {
      response.write('a\nusage\n', () => response.socket?.destroy());
    };
    expect(await drain(await lines().open())).toEqual({ items: ['a', 'usage'], error: undefined });
    respond = (response) => {
      response.write('a\nb\n', () => response.socket?.destroy());
    };
    expect(await drain(await lines().open())).toMatchObject({ items: ['a', 'b'], error: { code: 'upstream_error' } });
  });

  it('comes after the items before an error, which is thrown once', async () => {
    let send = (_text: string): void => undefined;
    respond = (response) => {
      response.write('a\n');
      send = (text) => response.write(text);
    };
    const stream = await lines().open();
    send('b\n!\n');
    await until(() => closed === 1);
    expect(await drain(stream)).toMatchObject({ items: ['a', 'b'], error: { code: 'upstream_error' } });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('is an error that is not tried again where the response is above the limit', async () => {
    respond = (response) => {
      response.write('a\n');
      setTimeout(() => response.write('x'.repeat(5_000)), 20);
    };
    const stream = await lines({ maxBytes: 5_000 }).open();
    const tooLarge = { code: 'upstream_error', retryable: false, mayBeBilled: true };
    expect(await drain(stream)).toMatchObject({ items: ['a'], error: tooLarge });
    await until(() => closed === 1);
  });
});

describe('an abort', () => {
  it('rejects with its reason: before the request, before the first item, and between two', async () => {
    const reason = { not: 'an Error' };
    await expect(lines({ signal: AbortSignal.abort(reason) }).open()).rejects.toBe(reason);
    expect(received).toBe(0);

    respond = () => undefined;
    const early = new AbortController();
    const opening = lines({ signal: early.signal }).open();
    await until(() => received === 1);
    early.abort(reason);
    await expect(opening).rejects.toBe(reason);
    await until(() => closed === 1);

    respond = (response) => {
      response.write('a\n');
    };
    const late = new AbortController();
    const stream = await lines({ signal: late.signal }).open();
    await stream.next();
    const next = stream.next();
    late.abort(reason);
    await expect(next).rejects.toBe(reason);
    await until(() => closed === 2);
  });

  it('drops what has come and was not read', async () => {
    respond = (response) => {
      response.write('a\nb\n');
    };
    const controller = new AbortController();
    const stream = await lines({ signal: controller.signal }).open();
    controller.abort(new Error('gone'));
    expect(await drain(stream)).toMatchObject({ items: [], error: { message: 'gone' } });
  });
});

describe('a reader', () => {
  it('holds the provider back while it does not read, and then gets everything in order', async () => {
    const count = 3_000;
    const line = (index: number): string => `${index} ${'x'.repeat(10_000)}`;
    let written = 0;
    respond = (response) => {
      const more = (): void => {
        while (written < count) {
          written += 1;
          if (!response.write(`${line(written)}\n`)) {
            response.once('drain', more);
            return;
          }
        }
        response.end();
      };
      more();
    };
    const stream = await lines({ timeouts: { ...TIMEOUTS, idle: Infinity } }).open();
    let seen = 0;
    let still = 0;
    await until(() => {
      still = written > 0 && written === seen ? still + 1 : 0;
      seen = written;
      return still === 10;
    });
    expect(written).toBeLessThan(count);
    const { items, error } = await drain(stream);
    expect(error).toBeUndefined();
    expect(items.map((item) => Number.parseInt(item, 10))).toEqual(items.map((_item, index) => index + 1));
    expect(items).toHaveLength(count);
  });

  it('ends the request when it leaves, also while it waits', async () => {
    respond = (response) => {
      response.write('a\n');
    };
    for await (const group of await lines().open()) {
      expect(group).toEqual(['a']);
      break;
    }
    await until(() => closed === 1);
    const stream = await lines().open();
    await stream.next();
    const waiting = stream.next();
    await stream.return();
    expect(await waiting).toEqual({ done: true, value: undefined });
    await until(() => closed === 2);
  });

  it('gets the same items however the bytes are cut and however slowly it reads', async () => {
    const item = fc.stringMatching(/^[a-d]{1,12}$/);
    await fc.assert(
      fc.asyncProperty(
        fc.array(item, { minLength: 1, maxLength: 30 }),
        fc.array(fc.nat(200), { maxLength: 8 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
        async (sent, cuts, pauses) => {
          const text = `${sent.join('\n')}\nend\n`;
          const points = [0, ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length];
          respond = (response) => {
            response.socket?.setNoDelay();
            const parts = points.slice(1).map((point, index) => text.slice(points[index], point));
            const write = (): void => {
              const part = parts.shift();
              if (part === undefined) response.end();
              else if (part === '') write();
              else response.write(part, () => setImmediate(write));
            };
            write();
          };
          const items: string[] = [];
          let reads = 0;
          for await (const group of await lines().open()) {
            expect(group.length).toBeGreaterThan(0);
            items.push(...group);
            if (pauses[reads % pauses.length] === true) await new Promise((resolve) => setTimeout(resolve, 2));
            reads += 1;
          }
          expect(items).toEqual([...sent, 'end']);
        },
      ),
      { numRuns: 40 },
    );
  });
});
