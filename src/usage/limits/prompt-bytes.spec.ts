import fc from 'fast-check';
import { bytesOf, promptBytes } from './prompt-bytes.js';

it('is never less than what a provider can be given to read', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const printed = JSON.stringify(value);
      // Escapes are of JSON alone: the provider reads the text.
      const escapes = printed.length - printed.replace(/\\(u....|.)/g, '_').length;
      expect(bytesOf(value)).toBeGreaterThanOrEqual(Buffer.byteLength(printed) - escapes);
    }),
  );
});

it('counts messages, tools and the format of the answer', () => {
  const messages = [{ role: 'user' as const, content: 'x'.repeat(1_000) }];
  const bare = promptBytes({ model: 'm', messages });
  expect(bare).toBeGreaterThan(1_000);
  expect(bare).toBeLessThan(1_100);
  const tools = [{ type: 'function', function: { name: 'y'.repeat(500) } }];
  expect(promptBytes({ model: 'm', messages, tools })).toBeGreaterThan(bare + 500);
  expect(promptBytes({ model: 'm', messages, response_format: { type: 'z'.repeat(300) } })).toBeGreaterThan(bare + 300);
});
