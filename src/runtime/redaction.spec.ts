import fc from 'fast-check';
import { REDACTIONS, redactJson, redactText } from './redaction.js';

describe('redactText', () => {
  it.each([
    ['email', 'write to ada.l+x@mail.example.co.uk now', 'write to [email] now'],
    ['phone', 'call +49 30 901820 or (030) 901-8200', 'call [phone] or [phone]'],
    ['card', 'card 4111 1111 1111 1111, please', 'card [card], please'],
    ['iban', 'to DE89 3704 0044 0532 0130 00 today', 'to [iban] today'],
    ['ip', 'from 192.168.0.12 and 2001:db8:0:1:1:1:1:1', 'from [ip] and [ip]'],
    ['secret', 'key sk-abcdefghijklmnopqrstuvwx and more', 'key [secret] and more'],
  ] as const)('%s', (name, text, expected) => {
    expect(redactText(text, [name])).toBe(expected);
    expect(redactText(text, [])).toBe(text);
  });

  it('takes out the addresses that one pattern would find', () => {
    const pattern = /[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/g;
    const piece = fc.constantFrom('a', 'b.', '@', '@x.de', ' ', '-', 'é', 'n'.repeat(70), '.c', '%', '"', '@@');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const text = pieces.join('');
        const expected = text.replace(pattern, '[email]');
        // Of a name that is too long, both take what is next to the @.
        expect(redactText(text, ['email'])).toBe(expected);
      }),
    );
  });

  it('takes time in proportion to the text', () => {
    const texts = ['a', `${'a'.repeat(64)}@`, 'a@b.', 'a@b.c ', '1.', 'sk-'];
    /** The quickest of several runs: what other work on the machine adds is left out. */
    const timeFor = (text: string): number =>
      Math.min(
        ...Array.from({ length: 5 }, () => {
          const started = performance.now();
          redactText(text, REDACTIONS);
          return performance.now() - started;
        }),
      );
    const plain = 'Ordinary words of a prompt. ';
    const length = 400_000;
    const usual = timeFor(plain.repeat(length / plain.length));
    for (const text of texts) expect(timeFor(text.repeat(length / text.length)) / usual).toBeLessThan(40);
  });

  it('leaves JSON as JSON, and is quick on hostile text', () => {
    const texts = [
      '1'.repeat(100_000),
      'a@'.repeat(50_000),
      '1 1 '.repeat(25_000),
      'A1:'.repeat(30_000),
      '(1'.repeat(50_000),
    ];
    const timeFor = (text: string): number => {
      const started = performance.now();
      redactJson(JSON.stringify({ text }), REDACTIONS);
      return performance.now() - started;
    };
    const plain = 'Ordinary words of a prompt. '.repeat(4_000);
    timeFor(plain);
    const usual = timeFor(plain);
    // Quadratic time would be thousands of times as long.
    for (const text of texts) expect(timeFor(text) / usual).toBeLessThan(300);
    const odd = JSON.stringify({ a: 'x"y@z.de\n+49 30 123456\\', n: 4111111111111111 });
    expect(JSON.parse(redactJson(odd, ['email', 'phone']))).toEqual({ a: 'x"[email]\n[phone]\\', n: 4111111111111111 });
  });
});
