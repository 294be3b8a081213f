/**
 * Why a sign-in failed, as the console reports it: `denied` by the identity provider, `expired` or begun in another browser, `no_role`
 * for the person, `claims` that are missing, `provider` that cannot be reached or whose response is not valid.
 */
export type SignInFaultCode = 'denied' | 'expired' | 'no_role' | 'claims' | 'provider';

/** A sign-in by OpenID Connect that failed. The message is for the log. */
export class SignInFault extends Error {
  constructor(
    readonly code: SignInFaultCode,
    message: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'SignInFault';
  }
}
