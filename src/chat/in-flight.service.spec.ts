import { upstreamUnavailable } from '../errors/gateway-error.js';
import { InFlight } from './in-flight.service.js';

describe('InFlight', () => {
  it('is drained at once when nothing is under way', async () => {
    await expect(new InFlight().drained(0)).resolves.toBe(true);
  });

  it('waits for the last call to end', async () => {
    const inFlight = new InFlight();
    const [first, second] = [new AbortController(), new AbortController()];
    inFlight.add(first);
    inFlight.add(second);
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

  it('gives up after the timeout, and then breaks off what is left', async () => {
    const inFlight = new InFlight();
    const controller = new AbortController();
    inFlight.add(controller);
    await expect(inFlight.drained(5)).resolves.toBe(false);
    const reason = upstreamUnavailable({ message: 'stopping' });
    inFlight.abortAll(reason);
    expect(controller.signal.reason).toBe(reason);
  });
});
