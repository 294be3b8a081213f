import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { csrfTokenOf, isFromElsewhere, printSessionCookie, sessionTokenOf } from './session-cookie.js';

const ID = 'sess_0123456789abcdef01234567';
const SECRET = 'A'.repeat(43);
const COOKIE = `gateway_session=${ID}.${SECRET}`;

describe('the cookie of a session', () => {
  it('is read among others', () => {
    for (const cookie of [COOKIE, `a=b; ${COOKIE}`, `${COOKIE};a=b`, `a=b;${COOKIE} ; c=d`]) {
      expect(sessionTokenOf({ cookie })).toEqual({ id: ID, secret: SECRET });
    }
  });

  it('is ignored where it is malformed, sent twice, or beside a key', () => {
    const headers: IncomingHttpHeaders[] = [
      {},
      { cookie: '' },
      { cookie: `x${COOKIE}` },
      { cookie: `${COOKIE}=` },
      { cookie: `${COOKIE}; ${COOKIE}` },
      { cookie: 'gateway_session=' },
      { cookie: COOKIE, authorization: 'Bearer x' },
      { cookie: COOKIE, authorization: 'not a key' },
      { cookie: COOKIE, 'x-api-key': '' },
      { cookie: COOKIE, 'x-goog-api-key': 'x' },
    ];
    for (const each of headers) expect(sessionTokenOf(each)).toBeUndefined();
  });

  it('gives no session for any other text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(sessionTokenOf({ cookie: `gateway_session=${text}` })).toBeUndefined();
      }),
    );
  });

  it('is sent back by its own site alone, and over HTTPS alone where the gateway is behind it', () => {
    expect(printSessionCookie('x', 60, true)).toBe(
      'gateway_session=x; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure',
    );
    expect(printSessionCookie('x', 60, false)).not.toContain('Secure');
  });
});

describe('the CSRF token', () => {
  it('differs by session and is not its secret', () => {
    expect(csrfTokenOf(SECRET)).not.toBe(csrfTokenOf('B'.repeat(43)));
    expect(csrfTokenOf(SECRET)).not.toContain(SECRET);
  });
});

describe('a request from elsewhere', () => {
  const from = (headers: IncomingHttpHeaders): boolean => isFromElsewhere({ headers } as IncomingMessage);

  it('is known by what the browser says', () => {
    expect(from({ host: 'a:1', origin: 'http://a:1' })).toBe(false);
    expect(from({ host: 'a:1' })).toBe(false);
    expect(from({ host: 'a:1', 'sec-fetch-site': 'same-origin' })).toBe(false);
    expect(from({ host: 'a:1', 'sec-fetch-site': 'none' })).toBe(false);
    expect(from({ host: 'a:1', origin: 'http://a:2' })).toBe(true);
    expect(from({ host: 'a:1', origin: 'null' })).toBe(true);
    expect(from({ host: 'a:1', 'sec-fetch-site': 'same-site' })).toBe(true);
    expect(from({ host: 'a:1', 'sec-fetch-site': 'cross-site', origin: 'http://a:1' })).toBe(true);
  });
});
