import fc from 'fast-check';
import { RateWindow, type RateLog } from './minute-rate.js';

const MINUTE_MS = 60_000;

interface Start {
  readonly at: number;
  readonly tokens: number;
}

/** Starts tasks as soon as the rate allows, the state of each step read from its log as another process would. */
function run(rate: { requests?: number; tokens?: number }, sizes: readonly number[], gaps: readonly number[]): Start[] {
  const starts: Start[] = [];
  let log: RateLog = [];
  let now = 1_790_000_000_123;
  sizes.forEach((tokens, index) => {
    now += gaps[index % Math.max(1, gaps.length)] ?? 0;
    for (let tries = 0; ; tries += 1) {
      const window = new RateWindow(rate, JSON.parse(JSON.stringify(log)) as RateLog);
      const wait = window.take(now, tokens);
      ({ log } = window);
      if (wait === 0) break;
      expect(tries).toBeLessThan(200);
      expect(wait).toBeLessThanOrEqual(MINUTE_MS + 3_000);
      now += wait;
    }
    starts.push({ at: now, tokens });
  });
  return starts;
}

function mostInAMinute(starts: readonly Start[], amount: (start: Start) => number): number {
  return Math.max(
    0,
    ...starts.map(({ at }) =>
      starts.filter((each) => each.at >= at && each.at <= at + MINUTE_MS).reduce((sum, each) => sum + amount(each), 0),
    ),
  );
}

describe('the rate of a job', () => {
  it('never has more requests and tokens in a minute than it says, and no task waits without end', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 120 });
    const gaps = fc.array(fc.constantFrom(0, 0, 1, 300, 999, 1_000, 7_000, 61_000), { minLength: 1, maxLength: 10 });
    const rate = fc.record(
      { requests: fc.integer({ min: 1, max: 200 }), tokens: fc.integer({ min: 400, max: 20_000 }) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(rate, sizes, gaps, (limits, tokens, waits) => {
        const starts = run(limits, tokens, waits);
        if (limits.requests !== undefined) {
          expect(mostInAMinute(starts, () => 1)).toBeLessThanOrEqual(limits.requests);
        }
        if (limits.tokens !== undefined) {
          expect(mostInAMinute(starts, (start) => start.tokens)).toBeLessThanOrEqual(limits.tokens);
        }
      }),
      { numRuns: 60 },
    );
  });

  it.each([1, 60, 100, 600, 3_000])('uses at least 95 %% of %i requests a minute', (requests) => {
    const count = requests * 6;
    const starts = run({ requests }, new Array<number>(count).fill(1), [0]);
    const minutes = ((starts.at(-1)?.at ?? 0) - (starts[0]?.at ?? 0)) / MINUTE_MS;
    expect((count - 1) / minutes).toBeGreaterThanOrEqual(requests * 0.95);
  });

  it('a task of more tokens than a minute may have runs by itself', () => {
    const starts = run({ tokens: 100 }, [500, 10, 500], [0]);
    expect(starts[1]!.at - starts[0]!.at).toBeGreaterThanOrEqual(MINUTE_MS);
    expect(starts[2]!.at - starts[1]!.at).toBeGreaterThanOrEqual(MINUTE_MS);
  });

  it('a clock that goes back starts nothing early', () => {
    const window = new RateWindow({ requests: 1 }, []);
    expect(window.take(1_000_000, 0)).toBe(0);
    expect(window.take(900_000, 0)).toBeGreaterThan(MINUTE_MS);
  });
});
