import fc from 'fast-check';
import { claimOf, roleOf, textsOf } from './role-of.js';

const NO_ROLES = { admin: [], viewer: [], member: [] };

describe('the role of a person', () => {
  it('is the first that a value of the claim gives', () => {
    const mapping = { admin: ['a'], viewer: ['v', 'a'], member: ['*'] };
    expect(roleOf(['a', 'v'], mapping)).toBe('admin');
    expect(roleOf(['x', 'v'], mapping)).toBe('viewer');
    expect(roleOf([], mapping)).toBe('member');
  });

  it('is none without a value that is mapped, however alike another is', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.array(fc.string()), (values, mapped) => {
        const role = roleOf(values, { ...NO_ROLES, admin: mapped.filter((each) => each !== '*') });
        expect(role).toBe(values.some((each) => each !== '*' && mapped.includes(each)) ? 'admin' : undefined);
      }),
    );
    for (const value of ['Admins', 'admins ', 'admin', '*']) {
      expect(roleOf([value], { ...NO_ROLES, admin: ['admins'] })).toBeUndefined();
    }
  });

  it('is never higher than that of a part of the values', () => {
    const text = fc.constantFrom('a', 'b', 'c', 'd');
    const rank = (role: string | undefined): number => ['member', 'viewer', 'admin'].indexOf(role ?? '');
    fc.assert(
      fc.property(
        fc.array(text),
        fc.array(text),
        fc.record({ admin: fc.array(text), viewer: fc.array(text), member: fc.array(text) }),
        (some, more, mapping) => {
          expect(rank(roleOf([...some, ...more], mapping))).toBe(
            Math.max(rank(roleOf(some, mapping)), rank(roleOf(more, mapping))),
          );
        },
      ),
    );
  });
});

describe('a claim', () => {
  it('is found by its whole name, or within objects', () => {
    const claims = { 'https://example.com/roles': ['x'], realm_access: { roles: ['y'] }, 'a.b': 1, a: { b: 2 } };
    expect(claimOf(claims, 'https://example.com/roles')).toEqual(['x']);
    expect(claimOf(claims, 'realm_access.roles')).toEqual(['y']);
    expect(claimOf(claims, 'a.b')).toBe(1);
    for (const name of ['none', 'realm_access.none', 'a.b.c', 'constructor', '__proto__', 'toString.name', '']) {
      expect(claimOf(claims, name)).toBeUndefined();
    }
  });

  it('gives its texts alone', () => {
    expect(textsOf('one')).toEqual(['one']);
    expect(textsOf(['one', 2, null, { three: 3 }, 'four'])).toEqual(['one', 'four']);
    for (const other of [undefined, null, 1, true, { admin: true }]) expect(textsOf(other)).toEqual([]);
  });
});
