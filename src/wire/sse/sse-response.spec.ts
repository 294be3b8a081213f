import fc from 'fast-check';
import { once } from 'node:events';
import { createServer, get, Agent, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { writePart } from './sse-response.js';

/** Text of one byte per character, of several, of halves of pairs, and none. */
const part = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), fc.constant(''));

describe('a part of a body', () => {
  let server: Server;
  let serve: (response: ServerResponse) => void;
  const port = (): number => (server.address() as AddressInfo).port;

  beforeAll(async () => {
    server = createServer((_, response) => serve(response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  /** All bytes of the connection after what was sent. */
  async function exchange(sent: string): Promise<string> {
    const socket = connect(port(), '127.0.0.1');
    socket.write(sent);
    const received: Buffer[] = [];
    for await (const bytes of socket) received.push(bytes as Buffer);
    return Buffer.concat(received).toString();
  }

  it('arrives as it was written, and the connection serves on', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const sockets = new Set<unknown>();
    await fc.assert(
      fc.asyncProperty(fc.array(part), part, async (parts, last) => {
        serve = (response) => {
          response.writeHead(200).flushHeaders();
          for (const text of parts) writePart(response, text);
          response.end(last);
        };
        const [response] = (await once(get({ port: port(), agent }), 'response')) as [IncomingMessage];
        sockets.add(response.socket);
        const received: Buffer[] = [];
        for await (const bytes of response) received.push(bytes as Buffer);
        expect(Buffer.concat(received).toString()).toBe(
          [...parts, last].map((text) => Buffer.from(text).toString()).join(''),
        );
      }),
    );
    expect(sockets.size).toBe(1);
    agent.destroy();
  });

  it('is one chunk', async () => {
    serve = (response) => {
      response.writeHead(200).flushHeaders();
      writePart(response, 'data: ä\n\n');
      writePart(response, '');
      writePart(response, 'x'.repeat(17));
      response.end('end');
    };
    const received = await exchange('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    expect(received).toContain(`\r\n\r\na\r\ndata: ä\n\n\r\n11\r\n${'x'.repeat(17)}\r\n3\r\nend\r\n0\r\n\r\n`);
  });

  it('has no length for a client of HTTP/1.0', async () => {
    serve = (response) => {
      response.writeHead(200).flushHeaders();
      writePart(response, 'one');
      writePart(response, 'two');
      response.end();
    };
    const received = await exchange('GET / HTTP/1.0\r\n\r\n');
    expect(received.slice(received.indexOf('\r\n\r\n'))).toBe('\r\n\r\nonetwo');
  });

  it('waits for the response before it, where requests are pipelined', async () => {
    const responses: ServerResponse[] = [];
    serve = (response) => {
      response.writeHead(200).flushHeaders();
      writePart(response, `part of ${responses.push(response)}`);
      if (responses.length < 2) return;
      for (const each of responses.reverse()) {
        writePart(each, '!');
        each.end();
      }
    };
    const received = await exchange(
      'GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
    );
    const bodies = received.split(/HTTP\/1\.1 200 OK\r\n/).map((each) => each.slice(each.indexOf('\r\n\r\n') + 4));
    expect(bodies.slice(1)).toEqual(['9\r\npart of 1\r\n1\r\n!\r\n0\r\n\r\n', '9\r\npart of 2\r\n1\r\n!\r\n0\r\n\r\n']);
  });
});
