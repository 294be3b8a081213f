import fc from 'fast-check';
import { bytesOf, promptSize } from './prompt-bytes.js';

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

const messages = [{ role: 'user' as const, content: 'x'.repeat(1_000) }];

function bytes(fields: object): number {
  return promptSize({ model: 'm', messages, ...fields }).bytes;
}

it('counts every field that may reach the provider, with any name', () => {
  const bare = bytes({});
  expect(bare).toBeGreaterThan(1_000);
  expect(bare).toBeLessThan(1_100);
  const name = fc
    .string({ minLength: 1 })
    .filter((text) => !['model', 'messages', 'metadata', '__proto__'].includes(text));
  const text = fc.string({ minLength: 20, maxLength: 500 });
  fc.assert(
    fc.property(name, text, fc.integer({ min: 0, max: 3 }), (field, content, depth) => {
      let value: unknown = content;
      for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { inner: value };
      expect(bytes({ [field]: value })).toBeGreaterThanOrEqual(bare + Buffer.byteLength(content));
    }),
  );
  expect(bytes({ metadata: { text: 'z'.repeat(500) } })).toBe(bare);
  expect(bytes({ metadata: { text: 'z'.repeat(500) }, store: true })).toBeGreaterThan(bare + 500);
});

it('takes any depth', () => {
  let deep: unknown = 'end';
  for (let level = 0; level < 200_000; level += 1) deep = [deep];
  expect(bytesOf(deep)).toBeGreaterThan(200_000);
});

it('counts pictures by their number, sound by its length, and text that is named a picture as text', () => {
  const url = `data:image/png;base64,${'A'.repeat(100_000)}`;
  const withImage = promptSize({
    model: 'm',
    messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url, detail: 'high' } }] }],
  });
  expect(withImage.images).toBe(1);
  expect(withImage.bytes).toBeLessThan(500);
  const text = [{ role: 'user' as const, content: [{ type: 'text', text: url }] }];
  expect(promptSize({ model: 'm', messages: text }).bytes).toBeGreaterThan(100_000);
  const notAPicture = [
    { role: 'user' as const, content: [{ type: 'image_url', image_url: { url: 'y'.repeat(9_000) } }] },
  ];
  expect(promptSize({ model: 'm', messages: notAPicture }).bytes).toBeGreaterThan(9_000);
});
