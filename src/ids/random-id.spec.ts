import { randomId } from './random-id.js';

it('makes ids of one shape, none twice', () => {
  const ids = Array.from({ length: 10_000 }, () => randomId('req_'));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.every((id) => /^req_[0-9a-f]{24}$/.test(id))).toBe(true);
});
