import { AdaptiveLimit } from './adaptive-limit.js';

describe('AdaptiveLimit', () => {
  it('halves at a refusal, once for refusals of the same moment, and never goes below one', () => {
    let now = 0;
    const limit = new AdaptiveLimit(16, () => now);
    limit.refused(undefined);
    limit.refused(undefined);
    expect(limit.value).toBe(8);
    for (let round = 0; round < 10; round += 1) {
      now += 2_000;
      limit.refused(undefined);
    }
    expect(limit.value).toBe(1);
  });

  it('grows by one for each round of successes, up to where it began', () => {
    let now = 0;
    const limit = new AdaptiveLimit(16, () => now);
    limit.refused(undefined);
    now = 5_000;
    for (let success = 0; success < 9; success += 1) limit.succeeded();
    expect(limit.value).toBe(9);
    for (let success = 0; success < 1_000; success += 1) limit.succeeded();
    expect(limit.value).toBe(16);
  });

  it('stops while the upstream asked to wait', () => {
    let now = 0;
    const limit = new AdaptiveLimit(4, () => now);
    limit.refused(3_000);
    expect(limit.value).toBe(0);
    now = 3_000;
    expect(limit.value).toBe(2);
  });
});
