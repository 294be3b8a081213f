import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { upstreamUnavailable } from '../errors/gateway-error.js';
import { InFlight } from './in-flight.service.js';

describe('InFlight', () => {
  it('counts a request of a server until its response is closed', async () => {
    const inFlight = new InFlight();
    let during = 0;
    const server = createServer();
    inFlight.watch(server);
    server.on('request', (_request, response) => {
      during = inFlight.size;
      response.end();
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/`);
    await response.text();
    expect(during).toBe(1);
    await expect(inFlight.drained(5_000)).resolves.toBe(true);
    server.close();
    server.closeAllConnections();
  });

  it('is drained at once when nothing is in flight', async () => {
    await expect(new InFlight().drained(0)).resolves.toBe(true);
  });

  it('waits for the last call to end', async () => {
    const inFlight = new InFlight();
    const first = inFlight.add(new AbortController(), { keyId: 'key_1' });
    const second = inFlight.add(new AbortController(), { keyId: 'key_1' });
    let done = false;
    const drained = inFlight.drained(5_000).then((whole) => {
      done = true;
      return whole;
    });
    inFlight.release(first);
    await Promise.resolve();
    expect(done).toBe(false);
    inFlight.release(second);
    await expect(drained).resolves.toBe(true);
  });

  it('stops waiting after the timeout, and then aborts the rest', async () => {
    const inFlight = new InFlight();
    const controller = new AbortController();
    inFlight.add(controller, { keyId: 'key_1' });
    await expect(inFlight.drained(5)).resolves.toBe(false);
    const reason = upstreamUnavailable({ message: 'stopping' });
    inFlight.abortAll(reason);
    expect(controller.signal.reason).toBe(reason);
  });
});
