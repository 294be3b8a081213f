import { randomId, timeOfId, timeOrderedId } from './random-id.js';

it('makes ids of one shape, none twice', () => {
  const ids = Array.from({ length: 10_000 }, () => randomId('req_'));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.every((id) => /^req_[0-9a-f]{24}$/.test(id))).toBe(true);
});

it('makes ids that sort by their time, none twice', async () => {
  const before = Array.from({ length: 1_000 }, () => timeOrderedId('use_'));
  const milliseconds = Date.now();
  while (Date.now() === milliseconds) await new Promise(setImmediate);
  const after = Array.from({ length: 1_000 }, () => timeOrderedId('use_'));
  const ids = [...before, ...after];
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.every((id) => /^use_[0-9a-f]{24}$/.test(id))).toBe(true);
  expect(before.every((id) => id < (after.at(-1) ?? ''))).toBe(true);
});

it('reads the time from such an id, and from no other text', () => {
  for (const time of [1_577_836_800_000, 1_700_000_000_001, Date.now()]) {
    for (const prefix of ['msgbatch_', 'file-']) expect(timeOfId(timeOrderedId(prefix, time))).toBe(time);
  }
  const others = [
    '',
    'msgbatch_x',
    'use_00000000000000000000000a',
    'use_ffffffffffff000000000000',
    `${timeOrderedId('use_')}0`,
  ];
  for (const text of others) expect(timeOfId(text)).toBeUndefined();
});
