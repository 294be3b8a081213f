import { readUrl } from './read-url.js';

describe('the content of an address', () => {
  it.each([
    ['http://127.0.0.1/x', 'not a public address'],
    ['http://[::1]/x', 'not a public address'],
    ['http://2130706433/x', 'not a public address'],
    ['http://169.254.169.254/latest/meta-data', 'not a public address'],
    ['http://localhost/x', 'not a public address'],
    ['https://user:secret@example.com/', 'user name'],
    ['file:///etc/passwd', 'must begin with'],
    ['s3://bucket/key', 'must begin with'],
    ['https://example.invalid/x', 'without an address'],
  ])('is not read of %s', async (url, reason) => {
    await expect(readUrl(url, false).next()).rejects.toThrow(reason);
  });
});
