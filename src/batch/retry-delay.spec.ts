import { retryDelay } from './retry-delay.js';

describe('retryDelay', () => {
  it.each([
    [1, undefined, 1, 1_000],
    [2, undefined, 1, 2_000],
    [4, undefined, 0.5, 4_000],
    [30, undefined, 1, 60_000],
    [1, 5_000, 0, 5_000],
    [1, 5_000, 1, 6_000],
  ])('after %i attempts with retry-after %s and a draw of %s: %i ms', (attempts, retryAfter, draw, expected) => {
    expect(retryDelay(attempts, retryAfter, () => draw)).toBe(expected);
  });
});
