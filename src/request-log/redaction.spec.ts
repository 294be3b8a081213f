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

  it('leaves JSON as JSON, and is quick on hostile text', () => {
    const texts = [
      '1'.repeat(100_000),
      'a@'.repeat(50_000),
      '1 1 '.repeat(25_000),
      'A1:'.repeat(30_000),
      '(1'.repeat(50_000),
    ];
    for (const text of texts) {
      const started = performance.now();
      redactJson(JSON.stringify({ text }), REDACTIONS);
      expect(performance.now() - started).toBeLessThan(1_000);
    }
    const odd = JSON.stringify({ a: 'x"y@z.de\n+49 30 123456\\', n: 4111111111111111 });
    expect(JSON.parse(redactJson(odd, ['email', 'phone']))).toEqual({ a: 'x"[email]\n[phone]\\', n: 4111111111111111 });
  });
});
