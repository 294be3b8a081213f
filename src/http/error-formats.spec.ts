import { ErrorFormats } from './error-formats.js';

describe('the form of errors by path', () => {
  it('is that of the nearest API, with and without its version, and nothing elsewhere', () => {
    const formats = new ErrorFormats();
    const messages = (): object => ({ type: 'error' });
    formats.add('/v1/messages', messages);
    for (const url of ['/v1/messages', '/v1/messages/count_tokens', '/v1/messages?beta=true', '/messages']) {
      expect(formats.of(url)).toBe(messages);
    }
    for (const url of ['/v1/messagesx', '/v1/chat/completions', '/', '/v2/messages']) {
      expect(formats.of(url)).toBeUndefined();
    }
  });

  it('knows paths by a pattern, without their query', () => {
    const formats = new ErrorFormats();
    const methods = (): object => ({ methods: true });
    formats.addPaths(/^\/v1\/models\/.+:[a-z]+$/i, methods);
    expect(formats.of('/v1/models/a/b:generateContent?key=x')).toBe(methods);
    for (const url of ['/v1/models/a', '/v1/models?x=/v1/models/a:b', '/v1/models/a:b/c']) {
      expect(formats.of(url)).toBeUndefined();
    }
  });
});
