import { OutgoingMessage } from 'node:http';
import fc from 'fast-check';
import { headerList, headerText, MAX_HEADER_LIST_BYTES, MAX_HEADER_TEXT_BYTES } from './header-text.js';

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.string({ unit: 'grapheme', maxLength: 400 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 400 }).map((units) => String.fromCharCode(...units)),
);
const isSendable = (value: string): boolean => {
  new OutgoingMessage().setHeader('x-test', value);
  return /^[\x20-\x7e]*$/.test(value);
};

describe('headerText', () => {
  it('leaves ordinary ids as they are', () => {
    for (const id of ['sandbox/echo', 'gpt-5-mini:2026-01-01', 'a_b.c@d+e*', '']) expect(headerText(id)).toBe(id);
  });

  it.each([
    ['客服', '%E5%AE%A2%E6%9C%8D'],
    ['a, b', 'a%2C%20b'],
    ['100%', '100%25'],
    ['x\r\ny: 1', 'x%0D%0Ay:%201'],
    ['é', '%C3%A9'],
    ['\ud800', '%EF%BF%BD'],
  ])('encodes %j', (text, encoded) => {
    expect(headerText(text)).toBe(encoded);
  });

  it('makes of any text a header value that Node sends, of a bounded length, that decodes to the text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const value = headerText(text);
        expect(isSendable(value)).toBe(true);
        expect(value.length).toBeLessThanOrEqual(MAX_HEADER_TEXT_BYTES);
        const whole = headerText(text, 100_000);
        expect(decodeURIComponent(whole)).toBe(text.toWellFormed());
        if (value !== whole) {
          expect(value.endsWith('...')).toBe(true);
          expect(text.toWellFormed().startsWith(decodeURIComponent(value.slice(0, -3)))).toBe(true);
        }
      }),
    );
  });

  it('takes no longer for a text of megabytes', () => {
    expect(headerText('客'.repeat(5_000_000)).length).toBeLessThanOrEqual(MAX_HEADER_TEXT_BYTES);
  });
});

describe('headerList', () => {
  it('gives every name back to a client that splits and decodes', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 10 }), { maxLength: 5 }), (names) => {
        const list = headerList(names);
        expect(isSendable(list)).toBe(true);
        const decoded = list === '' ? [] : list.split(', ').map(decodeURIComponent);
        expect(decoded).toEqual(names.map((name) => name.toWellFormed()));
      }),
    );
  });

  it('is bounded, and says when it left names out', () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 500 }), (names) => {
        const list = headerList(names);
        expect(list.length).toBeLessThanOrEqual(MAX_HEADER_LIST_BYTES);
        expect(isSendable(list)).toBe(true);
      }),
      { numRuns: 30 },
    );
    const many = headerList(Array.from({ length: 500 }, (_, index) => `some_unknown_setting_number_${index}`));
    expect(many).toMatch(/^some_unknown_setting_number_0, .*, \.\.\.$/);
  });
});
