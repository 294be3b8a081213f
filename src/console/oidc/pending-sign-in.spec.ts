import fc from 'fast-check';
import { pendingOf, printPendingCookie, type PendingSignIn } from './pending-sign-in.js';

const pending: PendingSignIn = { state: 'A'.repeat(43), nonce: 'b'.repeat(43), verifier: '-_'.repeat(21) + '0' };
const sent = (printed: string): string => printed.split(';')[0] ?? '';

describe('the cookie of a sign-in that has begun', () => {
  it.each([true, false])('is read again (over HTTPS: %s), among others', (isSecure) => {
    const cookie = sent(printPendingCookie(pending, isSecure));
    expect(pendingOf({ cookie }, isSecure)).toEqual(pending);
    expect(pendingOf({ cookie: `a=b; ${cookie}; gateway_session=x` }, isSecure)).toEqual(pending);
    expect(pendingOf({ cookie }, !isSecure)).toBeUndefined();
    expect(pendingOf({ cookie: `${cookie}; ${cookie}` }, isSecure)).toBeUndefined();
    expect(pendingOf({ cookie: `x${cookie}` }, isSecure)).toBeUndefined();
    expect(pendingOf({ cookie: sent(printPendingCookie(undefined, isSecure)) }, isSecure)).toBeUndefined();
    expect(pendingOf({}, isSecure)).toBeUndefined();
  });

  it('cannot be read by scripts, and is of this host alone over HTTPS', () => {
    expect(printPendingCookie(pending, true)).toMatch(
      /^__Host-gateway_oidc=\S+; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/,
    );
    expect(printPendingCookie(undefined, false)).toBe('gateway_oidc=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax');
  });

  it('is nothing for any other text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(pendingOf({ cookie: `gateway_oidc=${text}` }, false)).toBeUndefined();
      }),
    );
  });
});
