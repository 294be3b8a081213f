import fc from 'fast-check';
import { cpuTimeRatio } from '../../test/fixtures/cpu-time.js';
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
    const plain = 'Ordinary words of a prompt. ';
    const repeated = (text: string, length: number): string => text.repeat(length / text.length);
    for (const text of texts) {
      const [long, short] = [repeated(text, 400_000), repeated(text, 4_000)];
      // A hundred times the text: quadratic time would be 10,000 times as long.
      const growth = cpuTimeRatio(
        () => redactText(long, REDACTIONS),
        () => redactText(short, REDACTIONS),
      );
      expect(growth).toBeLessThan(1_000);
      const usual = repeated(plain, 4_000);
      const slowness = cpuTimeRatio(
        () => redactText(short, REDACTIONS),
        () => redactText(usual, REDACTIONS),
      );
      expect(slowness).toBeLessThan(100);
    }
  });

  it('leaves JSON as JSON, and is quick on hostile text', () => {
    const texts = [
      '1'.repeat(100_000),
      'a@'.repeat(50_000),
      '1 1 '.repeat(25_000),
      'A1:'.repeat(30_000),
      '(1'.repeat(50_000),
    ];
    const redacted = (text: string): string => redactJson(JSON.stringify({ text }), REDACTIONS);
    const plain = 'Ordinary words of a prompt. '.repeat(4_000);
    for (const text of texts) {
      const times = cpuTimeRatio(
        () => redacted(text),
        () => redacted(plain),
      );
      // Quadratic time would be thousands of times as long.
      expect(times).toBeLessThan(300);
    }
    const odd = JSON.stringify({ a: 'x"y@z.de\n+49 30 123456\\', n: 4111111111111111 });
    expect(JSON.parse(redactJson(odd, ['email', 'phone']))).toEqual({ a: 'x"[email]\n[phone]\\', n: 4111111111111111 });
  });
});
