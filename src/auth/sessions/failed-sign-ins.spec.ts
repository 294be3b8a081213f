import { FailedSignIns } from './failed-sign-ins.js';

describe('failed sign-ins', () => {
  it('stop an address after ten in a minute, and no other', () => {
    let now = 1_000;
    const failures = new FailedSignIns(() => now);
    for (let each = 0; each < 9; each += 1) failures.add('a');
    expect(failures.waitFor('a')).toBe(0);
    now += 10_000;
    failures.add('a');
    expect(failures.waitFor('a')).toBe(50_000);
    expect(failures.waitFor('b')).toBe(0);
    now += 50_000;
    expect(failures.waitFor('a')).toBe(0);
    failures.add('a');
    expect(failures.waitFor('a')).toBe(0);
  });

  it('remember a bounded number of addresses', () => {
    const failures = new FailedSignIns(() => 0);
    for (let each = 0; each < 10; each += 1) failures.add('first');
    for (let each = 0; each < 10_000; each += 1) failures.add(String(each));
    expect(failures.waitFor('first')).toBe(0);
  });
});
