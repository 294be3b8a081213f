import { jest } from '@jest/globals';
import { periodAt } from '../limits/period.js';
import { reached, steadyNow } from './steady-clock.js';

afterEach(() => jest.useRealTimers());

it('never runs backwards, so that no period is opened again, and goes on when the clock has caught up', () => {
  const december = Date.UTC(2030, 11, 1, 0, 5);
  jest.useFakeTimers({ now: december });
  expect(periodAt('month', steadyNow()).name).toBe('2030-12');
  jest.setSystemTime(december - 3_600_000);
  expect([steadyNow(), periodAt('month', steadyNow()).name]).toEqual([december, '2030-12']);
  jest.setSystemTime(december + 1_000);
  expect(steadyNow()).toBe(december + 1_000);
});

it('goes on from the records after a restart, but not from a damaged time', () => {
  const now = Date.UTC(2031, 0, 10);
  jest.useFakeTimers({ now });
  reached(now + 86_400_000);
  expect(steadyNow()).toBe(now + 86_400_000);
  for (const damaged of [9e15, Number.NaN, Infinity]) reached(damaged);
  expect(steadyNow()).toBe(now + 86_400_000);
});
