import fc from 'fast-check';
import { textOf } from './pattern-text.js';

describe('textOf', () => {
  it.each([
    '^\\d{5}$',
    '^[A-Z]{3}-\\d{2,4}$',
    '^\\+[1-9]\\d{1,14}$',
    '^(foo|bar)_[a-z]+$',
    '^(?:[0-9a-f]{8}-)+x$',
    '^[^a-zA-Z0-9]+$',
    '^\\u0041\\x42\\.\\/$',
    '^([01]\\d|2[0-3]):[0-5]\\d$',
    '^#(?:[0-9a-fA-F]{3}){1,2}$',
    '^(?<year>\\d{4})-\\w+\\s\\S*$',
    '[a-z]',
    '^a?b*c+$',
    '^$',
    '^.{3,}$',
  ])('matches %s', (pattern) => {
    const text = textOf(pattern, 0, 1_000);
    expect(text).toBeDefined();
    expect(text).toMatch(new RegExp(pattern, 'u'));
  });

  it('makes texts of the wanted length where the repetitions allow it', () => {
    expect(textOf('^[a-z]+$', 40, 50)).toMatch(/^[a-z]{40,50}$/);
    expect(textOf('^x{2,4}$', 4, 4)).toBe('xxxx');
    expect(textOf('^x{2}$', 10, 20)).toBeUndefined();
    expect(textOf('^x{2}', 10, 20)).toMatch(/^xx.{8,18}$/);
  });

  it('matches any pattern that is put together of what it reads', () => {
    const atom = fc.constantFrom('a', '\\d', '\\w', '[a-f]', '[^x]', '.', '(ab|c)', '(?:d[0-9])', '\\.');
    const times = fc.constantFrom('', '?', '*', '+', '{2}', '{1,3}', '{0,2}', '{2,}');
    fc.assert(
      fc.property(fc.array(fc.tuple(atom, times), { maxLength: 4 }), fc.nat(6), (parts, least) => {
        const pattern = `^${parts.map(([one, often]) => one + often).join('')}$`;
        const text = textOf(pattern, least, 50);
        if (text === undefined) return;
        expect(text).toMatch(new RegExp(pattern, 'u'));
        expect(text.length).toBeGreaterThanOrEqual(least);
      }),
    );
  });

  it('reads nothing else, and never runs a pattern', () => {
    for (const pattern of ['(?=a)b', '(a)\\1', '(?<!a)b', 'a{', '[a', '(a', 'a)', '*', '\\p{L}', '\\bword', 'a**'])
      expect(textOf(pattern, 0, 100)).toBeUndefined();
    expect(textOf('((((a{1000}){1000}){1000}){1000})', 0, 1e9)).toBeUndefined();
    expect(textOf(`^${'a?'.repeat(100)}${'a'.repeat(100)}b$`, 0, 1_000)).toBeDefined();
    expect(textOf('^(a|a)*(a+)+b$', 0, 1_000)).toMatch(/^a*b$/);
    expect(textOf('('.repeat(400), 0, 100)).toBeUndefined();
  });

  it('ends on any text', () => {
    const pieces = fc.constantFrom(...'ab()[]{}|^$*+?.\\,019-:<>=!', '\\d', '{999999999}', '(?:', '[^');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        expect((textOf(parts.join(''), 3, 1_000) ?? '').length).toBeLessThanOrEqual(1_000);
      }),
      { numRuns: 2_000 },
    );
  });
});
