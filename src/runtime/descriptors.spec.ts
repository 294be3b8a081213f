import { descriptorFault, isOutOfDescriptors, limitIn, tooFewDescriptors } from './descriptors.js';

const withCode = (code: string, cause?: unknown): Error =>
  Object.assign(new Error(code, cause === undefined ? undefined : { cause }), { code });

describe('too few descriptors', () => {
  it('reads the soft limit, if there is one', () => {
    const limits = (soft: string): string =>
      `Limit                     Soft Limit           Hard Limit           Units     \nMax processes             127                  127                  processes \nMax open files            ${soft}                  4096                 files     \n`;
    expect(limitIn(limits('96'))).toBe(96);
    expect(limitIn(limits('unlimited'))).toBeUndefined();
    expect(limitIn('')).toBeUndefined();
  });

  it('is found behind the errors that wrap it, and not in others', () => {
    expect(isOutOfDescriptors(withCode('EMFILE'))).toBe(true);
    expect(isOutOfDescriptors(new Error('a', { cause: withCode('b', withCode('ENFILE')) }))).toBe(true);
    expect(isOutOfDescriptors(withCode('ENOENT'))).toBe(false);
    expect(isOutOfDescriptors('EMFILE')).toBe(false);
  });

  it('is reported in one line that names the limit and the fix, and other faults are not', () => {
    const line = /^llm-gateway cannot start: .* may have only 96 files .* at least 1024 \(ulimit -n/;
    expect(descriptorFault(withCode('EMFILE'), 96)).toMatch(line);
    expect(descriptorFault(withCode('ERR_MODULE_NOT_FOUND'), 96)).toMatch(line);
    expect(descriptorFault(withCode('EMFILE'), 0)).toMatch(/may have too few files/);
    expect(descriptorFault(withCode('ERR_MODULE_NOT_FOUND'), 65_536)).toBeUndefined();
    expect(descriptorFault(new Error('x', { cause: withCode('ENFILE') }), 0)).toBeDefined();
    expect(descriptorFault(new TypeError('x'), 96)).toBeUndefined();
  });

  it('is reported before the start where a start may succeed but would leave too few for clients', () => {
    expect(tooFewDescriptors(63)).toMatch(/^llm-gateway cannot start: .* may have only 63 files .* at least 1024/);
    expect(tooFewDescriptors(0)).toMatch(/may have too few files/);
    expect([tooFewDescriptors(64), tooFewDescriptors(65_536), tooFewDescriptors(undefined)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
