import fc from 'fast-check';
import { mediaTypeOf, sniffMediaType } from './sniff-media-type.js';

const base64Of = (bytes: readonly (string | Uint8Array)[]): string =>
  Buffer.concat(bytes.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part))).toString(
    'base64',
  );
const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const rest = fc.uint8Array({ maxLength: 30 });

describe('the media type that data shows', () => {
  it('is that of a bitmap with each version of its second header, of any size', () => {
    const headers = fc.constantFrom('\x0c', '\x28', '\x34', '\x38', '\x40', '\x6c', '\x7c');
    fc.assert(
      fc.property(bytes(4), bytes(4), headers, rest, (size, offset, header, data) => {
        const bitmap = base64Of(['BM', size, '\0\0\0\0', offset, header, '\0\0\0', data]);
        expect(sniffMediaType(bitmap)).toBe('image/bmp');
        expect(mediaTypeOf(bitmap, 'image/png')).toBe('image/bmp');
      }),
    );
  });

  it('is none where data only begins with the two letters of a bitmap', () => {
    fc.assert(
      fc.property(rest, (data) => {
        fc.pre(data.slice(13, 16).some((byte) => byte !== 0) || data.length < 16);
        const other = base64Of(['BM', data]);
        expect([sniffMediaType(other), mediaTypeOf(other, 'image/png')]).toEqual([undefined, 'image/png']);
      }),
    );
  });

  it.each([
    ['image/png', '\x89PNG\r\n\x1a\n'],
    ['image/jpeg', '\xff\xd8\xff\xe0'],
    ['image/gif', 'GIF89a'],
    ['image/webp', 'RIFF\x10\0\0\0WEBPVP8 '],
    ['application/pdf', '%PDF-1.7'],
    ['audio/wav', 'RIFF\x10\0\0\0WAVEfmt '],
  ])('is %s by its first bytes, where the request names none or another of the family', (type, head) => {
    fc.assert(
      fc.property(rest, (data) => {
        const file = base64Of([head, data]);
        expect(sniffMediaType(file)).toBe(type);
        expect(mediaTypeOf(file, 'application/octet-stream')).toBe(type);
        expect(mediaTypeOf(file, 'text/plain')).toBe('text/plain');
      }),
    );
  });
});
