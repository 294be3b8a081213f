import { jest } from '@jest/globals';
import { timeSlices } from './time-slices.js';

const HOUR_MS = 3_600_000;

/** A clock that goes on by what the reading of a slice takes, and by nothing else, and the processor time of the process. */
let now = 0;
let worked = 0;
beforeEach(() => {
  now = 0;
  worked = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => now);
  jest
    .spyOn(process, 'cpuUsage')
    .mockImplementation((before) => ({ user: worked * 1_000 - (before?.user ?? 0), system: 0 }));
});
afterEach(() => jest.restoreAllMocks());

it('covers a time without gap or overlap, the latest first, in few parts where there is little to do', async () => {
  const span = { start: 17, end: 365 * 24 * HOUR_MS };
  let until = span.end;
  let parts = 0;
  for await (const { start, end } of timeSlices(span)) {
    expect(end).toBe(until);
    expect(start).toBeLessThan(end);
    until = start;
    parts += 1;
  }
  expect(until).toBe(span.start);
  expect(parts).toBeLessThan(20);
});

it('makes parts shorter where they take long, and lets others have their turn', async () => {
  let turns = 0;
  let immediate = setImmediate(function take() {
    turns += 1;
    immediate = setImmediate(take);
  });
  const lengths: number[] = [];
  for await (const { start, end } of timeSlices({ start: 0, end: 4 * HOUR_MS })) {
    lengths.push(end - start);
    now += (end - start) / 60_000;
    worked = now;
  }
  clearImmediate(immediate);
  expect(Math.max(...lengths.slice(2))).toBeLessThan(HOUR_MS / 2);
  expect(lengths.length).toBeGreaterThan(5);
  expect(turns).toBeGreaterThanOrEqual(lengths.length - 1);
});

it.each([
  ['waits for a processor', 80, 1],
  ['has other threads that work', 1, 80],
])('makes no part shorter where the process %s', async (_, durationMs, workMs) => {
  let parts = 0;
  for await (const _slice of timeSlices({ start: 0, end: 365 * 24 * HOUR_MS })) {
    now += durationMs;
    worked += workMs;
    parts += 1;
  }
  expect(parts).toBeLessThan(20);
});

it('is nothing for a time of no length', async () => {
  for await (const slice of timeSlices({ start: 5, end: 5 })) throw new Error(JSON.stringify(slice));
});
