import { availableParallelism } from 'node:os';
import { loadConfig } from './load-config.js';
import { readProcessCount } from './process-count.js';

describe('GATEWAY_PROCESSES', () => {
  it.each([
    [undefined, 1],
    ['', 1],
    ['1', 1],
    [' 3 ', 3],
    ['64', 64],
    ['auto', Math.min(64, availableParallelism())],
  ])('%p is %p', (text, count) => {
    expect(readProcessCount(text)).toBe(count);
  });

  it.each(['0', '65', '-1', '1.5', '2x', 'Auto', 'all', '1e1'])('%p is a fault that says what to write', (text) => {
    expect(() => loadConfig({ env: { GATEWAY_PROCESSES: text }, cwd: '/nonexistent' })).toThrow(
      /GATEWAY_PROCESSES: must be auto or a whole number from 1 to 64/,
    );
  });

  it('refuses several processes on a database that none of them shares', () => {
    const env = { GATEWAY_PROCESSES: '2', DATABASE_URL: 'sqlite::memory:' };
    expect(() => loadConfig({ env, cwd: '/nonexistent' })).toThrow(/GATEWAY_PROCESSES: .*sqlite::memory:/);
    expect(loadConfig({ env: { ...env, GATEWAY_PROCESSES: '1' }, cwd: '/nonexistent' }).processes).toBe(1);
  });
});
