import { BackgroundThrottle } from './background-throttle.js';
import { InFlight } from './in-flight.service.js';

/** Turns of the event loop that pass while `work` runs. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  let immediate = setImmediate(function count() {
    turns += 1;
    immediate = setImmediate(count);
  });
  await work;
  clearImmediate(immediate);
  return turns;
}

/** Each piece keeps the event loop for about a millisecond. */
async function piece(throttle: BackgroundThrottle, done: () => void): Promise<void> {
  await throttle.yieldToEventLoop();
  const until = performance.now() + 1;
  while (performance.now() < until);
  done();
}

describe('BackgroundThrottle', () => {
  it.each([
    ['each in a turn of its own', true, 99],
    ['a few in a turn', false, 12],
  ])('lets pieces of work that begin together run in their order, %s', async (_, isLive, leastTurns) => {
    const inFlight = new InFlight();
    if (isLive) inFlight.add(new AbortController(), { keyId: 'key_1' });
    const throttle = new BackgroundThrottle(inFlight);
    const order: number[] = [];
    const indexes = Array.from({ length: 100 }, (_unused, index) => index);
    const turns = await turnsDuring(Promise.all(indexes.map((index) => piece(throttle, () => order.push(index)))));
    expect(order).toEqual(indexes);
    expect(turns).toBeGreaterThanOrEqual(leastTurns);
  });

  it('lets work run on in a turn that has time left', async () => {
    const throttle = new BackgroundThrottle(new InFlight());
    const idle = Promise.all([1, 2, 3].map(() => throttle.yieldToEventLoop()));
    expect(await turnsDuring(idle)).toBe(0);
  });
});
