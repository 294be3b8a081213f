import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { WriteBehind } from './write-behind.js';

Logger.overrideLogger(false);

function refused(): Error {
  return Object.assign(new Error('out of range'), { code: '22003' });
}

function bufferOf(
  store: (items: readonly number[]) => Promise<void>,
  quarantine?: (item: number) => number | undefined,
) {
  const dropped: number[] = [];
  const buffer = new WriteBehind<number>({
    what: 'numbers',
    logger: new Logger(),
    store,
    batch: 16,
    sizeOf: () => 1,
    mostWaiting: 10_000,
    onDropped: (items) => dropped.push(items),
    ...(quarantine !== undefined && { quarantine }),
  });
  return { buffer, dropped };
}

it('stores every item that the database accepts, and quarantines exactly those that it refuses', async () => {
  const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 999 }), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(numbers, fc.uniqueArray(fc.integer({ min: 0, max: 999 })), async (items, refusable) => {
      const stored = new Set<number>();
      const { buffer, dropped } = bufferOf(
        (set) => {
          if (set.some((item) => refusable.includes(item))) return Promise.reject(refused());
          for (const item of set) stored.add(item);
          return Promise.resolve();
        },
        (item) => -1 - item,
      );
      for (const item of items) buffer.add(item);
      await buffer.close();
      expect([...stored].sort()).toEqual(items.map((item) => (refusable.includes(item) ? -1 - item : item)).sort());
      expect([buffer.length, dropped]).toEqual([0, []]);
    }),
    { numRuns: 50 },
  );
});

it('drops refused items where there is no quarantine, and reports how many', async () => {
  const stored: number[] = [];
  const { buffer, dropped } = bufferOf((set) => {
    if (set.includes(3)) return Promise.reject(refused());
    stored.push(...set);
    return Promise.resolve();
  });
  for (const item of [1, 2, 3, 4]) buffer.add(item);
  await buffer.flush();
  expect([stored, dropped]).toEqual([[1, 2, 4], [1]]);
});

it('keeps everything while the database is away, and does not take that for a fault of an item', async () => {
  let isAway = true;
  const stored: number[] = [];
  let tries = 0;
  const { buffer, dropped } = bufferOf((set) => {
    tries += 1;
    if (isAway) return Promise.reject(Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }));
    stored.push(...set);
    return Promise.resolve();
  });
  for (let item = 0; item < 10; item += 1) buffer.add(item);
  await buffer.flush();
  await buffer.flush();
  expect([buffer.length, tries, stored]).toEqual([10, 2, []]);
  isAway = false;
  await buffer.flush();
  expect([stored, dropped, buffer.length]).toEqual([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [], 0]);
});
