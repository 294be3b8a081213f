import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { Logger } from 'pino';
import { limitConnections, maxConnections } from './connection-limit.js';

describe('the most connections that a server takes', () => {
  it('leaves a quarter of the descriptors, at least 64, to the rest of the process', () => {
    expect(maxConnections(1_000_000)).toBe(750_000);
    expect(maxConnections(1_024)).toBe(768);
    expect(maxConnections(200)).toBe(136);
    expect(maxConnections(10)).toBe(1);
  });

  it('is enforced, with one log line for many refusals, and free slots are used again', async () => {
    const lines: unknown[] = [];
    const logger = { error: (fields: unknown) => lines.push(fields) } as unknown as Logger;
    const server = createServer((_request, response) => response.end());
    limitConnections(server, logger, 66);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const held = Array.from({ length: 2 }, () => connect(port, '127.0.0.1'));
    await Promise.all(held.map((socket) => once(socket, 'connect')));
    for (let refused = 0; refused < 5; refused += 1) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      await once(socket, 'close');
    }
    expect(lines).toEqual([{ refused: 1, max_connections: 2, descriptor_limit: 66 }]);
    server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
    expect(lines).toHaveLength(1);
    const freed = new Promise((resolve) => {
      server.once('connection', () => resolve(undefined));
    });
    held[0]?.destroy();
    for (let isTaken = false; !isTaken;) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      isTaken = await Promise.race([freed.then(() => true), once(socket, 'close').then(() => false)]);
      socket.destroy();
    }
    for (const socket of held) socket.destroy();
    server.close();
  });
});
