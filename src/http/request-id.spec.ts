import { requestIdOf } from './request-id.js';

describe('requestIdOf', () => {
  it.each([['abc'], ['req_1.2:3-4'], ['x'.repeat(128)]])('keeps the sane id %s', (id) => {
    expect(requestIdOf(id)).toBe(id);
  });

  it.each([[undefined], [''], ['a b'], ['a\nb'], ['ä'], ['x'.repeat(129)], [['a', 'b']]])('replaces %p', (id) => {
    expect(requestIdOf(id)).toMatch(/^req_[0-9a-f]{24}$/);
  });
});
