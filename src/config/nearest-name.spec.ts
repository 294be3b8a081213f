import { nearestName } from './nearest-name.js';

describe('nearestName', () => {
  const known = ['server', 'streaming', 'providers', 'models', 'log'];

  it.each([
    ['sever', 'server'],
    ['provider', 'providers'],
    ['modles', 'models'],
    ['Streaming', 'streaming'],
    ['lgo', 'log'],
  ])('takes %s for %s', (name, expected) => {
    expect(nearestName(name, known)).toBe(expected);
  });

  it.each([['banana'], ['x'], ['']])('has no idea what %p means', (name) => {
    expect(nearestName(name, known)).toBeUndefined();
  });
});
