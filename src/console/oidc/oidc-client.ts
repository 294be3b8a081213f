import { Injectable } from '@nestjs/common';
import type { ClientAuth, Configuration } from 'openid-client';
import { GatewayConfig } from '../../config/gateway-config.js';
import type { SignedInUser } from '../../auth/users/console-users.service.js';
import type { PendingSignIn } from './pending-sign-in.js';
import { SignInFault } from './sign-in-fault.js';
import { claimOf, roleOf, textsOf, type Claims } from './role-of.js';

/** Path of the redirect URI that is registered at the identity provider. */
export const CALLBACK_PATH = '/v1/session/oidc/callback';
const REQUEST_TIMEOUT_SECONDS = 10;
/** By how much the clocks of the identity provider and of this machine may differ. */
const CLOCK_TOLERANCE_SECONDS = 30;
/** How long what the identity provider says of itself is used. Its keys are read again by themselves when one is unknown. */
const DISCOVERY_MS = 3_600_000;
const MAX_NAME_CHARACTERS = 200;

type Settings = NonNullable<GatewayConfig['console']['oidc']>;
type Library = typeof import('openid-client');

interface Discovered {
  readonly library: Library;
  readonly configuration: Configuration;
  readonly endsAt: number;
}

/** A person whom the identity provider has signed in. */
export interface Identity extends SignedInUser {
  /** Names the sign-in when it is ended there; null where the session need not be ended there. */
  readonly idToken: string | null;
}

/** Speaks with the identity provider: the authorization code flow with PKCE, state and nonce. */
@Injectable()
export class OidcClient {
  private discovered: Promise<Discovered> | undefined;

  constructor(private readonly config: GatewayConfig) {}

  get isConfigured(): boolean {
    return this.config.console.enabled && this.config.console.oidc !== undefined;
  }

  /** Where a browser is sent to sign in, and what it keeps meanwhile. @throws SignInFault `provider` */
  async begin(): Promise<{ readonly url: URL; readonly pending: PendingSignIn }> {
    const settings = this.settings();
    const { library, configuration } = await this.discover(settings);
    const pending = {
      state: library.randomState(),
      nonce: library.randomNonce(),
      verifier: library.randomPKCECodeVerifier(),
    };
    const url = library.buildAuthorizationUrl(configuration, {
      redirect_uri: this.address(settings, CALLBACK_PATH),
      scope: [...new Set(['openid', ...settings.scopes])].join(' '),
      state: pending.state,
      nonce: pending.nonce,
      code_challenge: await library.calculatePKCECodeChallenge(pending.verifier),
      code_challenge_method: 'S256',
    });
    return { url, pending };
  }

  /**
   * Redeems the code that the identity provider gave the browser.
   *
   * @param query of the redirect, with its question mark
   * @throws SignInFault for everything that can be wrong with it
   */
  async complete(query: string, pending: PendingSignIn): Promise<Identity> {
    const settings = this.settings();
    const { library, configuration } = await this.discover(settings);
    const redirected = new URL(this.address(settings, CALLBACK_PATH) + query);
    if (redirected.searchParams.get('state') !== pending.state) throw new SignInFault('expired', 'another state');
    try {
      const tokens = await library.authorizationCodeGrant(configuration, redirected, {
        pkceCodeVerifier: pending.verifier,
        expectedState: pending.state,
        expectedNonce: pending.nonce,
        idTokenExpected: true,
      });
      const idClaims: Claims = { ...tokens.claims() };
      const subject = String(idClaims['sub']);
      const isComplete = [settings.userClaim, settings.groupsClaim].every(
        (name) => claimOf(idClaims, name) !== undefined,
      );
      const canAsk = configuration.serverMetadata().userinfo_endpoint !== undefined;
      const claims: Claims =
        isComplete || !canAsk
          ? idClaims
          : { ...(await library.fetchUserInfo(configuration, tokens.access_token, subject)), ...idClaims };
      const endsThere = configuration.serverMetadata().end_session_endpoint !== undefined;
      return { ...identityOf(claims, subject, settings), idToken: endsThere ? (tokens.id_token ?? null) : null };
    } catch (error) {
      throw toFault(error, library);
    }
  }

  /** Where the sign-in at the identity provider is ended; null where that is not possible, or not known at the moment. */
  async endSessionUrl(idToken: string): Promise<string | null> {
    const { oidc: settings } = this.config.console;
    if (settings === undefined) return null;
    try {
      const { library, configuration } = await this.discover(settings);
      if (configuration.serverMetadata().end_session_endpoint === undefined) return null;
      return library.buildEndSessionUrl(configuration, {
        id_token_hint: idToken,
        post_logout_redirect_uri: this.address(settings, '/console/'),
      }).href;
    } catch {
      return null;
    }
  }

  private settings(): Settings {
    const { oidc } = this.config.console;
    if (oidc === undefined) throw new SignInFault('provider', 'console.oidc is not set');
    return oidc;
  }

  private address({ redirectBase }: Settings, path: string): string {
    return new URL(path, redirectBase).href;
  }

  private async discover(settings: Settings): Promise<Discovered> {
    const known = await this.discovered?.catch(() => undefined);
    if (known !== undefined && Date.now() < known.endsAt) return known;
    this.discovered = discover(settings);
    try {
      return await this.discovered;
    } catch (error) {
      throw new SignInFault('provider', 'the identity provider cannot be reached, or does not describe itself', error);
    }
  }
}

async function discover({ issuer, clientId, clientSecret }: Settings): Promise<Discovered> {
  const library = await import('openid-client');
  const server = new URL(issuer);
  const configuration = await library.discovery(
    server,
    clientId,
    { [library.clockTolerance]: CLOCK_TOLERANCE_SECONDS },
    clientSecret === undefined ? library.None() : secretAuth(library, clientSecret),
    {
      timeout: REQUEST_TIMEOUT_SECONDS,
      // The settings allow plain HTTP for an issuer on this machine alone.
      execute: server.protocol === 'http:' ? [allowPlainHttp(library)] : [],
    },
  );
  return { library, configuration, endsAt: Date.now() + DISCOVERY_MS };
}

/** The library calls it deprecated only to make it stand out. */
function allowPlainHttp(library: Library): (configuration: Configuration) => void {
  const allow: (configuration: Configuration) => void = Reflect.get(library, 'allowInsecureRequests');
  return allow;
}

/** By HTTP Basic, which OpenID Connect has as its default, unless the provider takes the secret in the body alone. */
function secretAuth(library: Library, secret: string): ClientAuth {
  const basic = library.ClientSecretBasic(secret);
  const post = library.ClientSecretPost(secret);
  return (server, client, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const isInBody = !methods.includes('client_secret_basic') && methods.includes('client_secret_post');
    (isInBody ? post : basic)(server, client, body, headers);
  };
}

function identityOf(claims: Claims, subject: string, settings: Settings): SignedInUser {
  const [given = ''] = textsOf(claimOf(claims, settings.userClaim));
  // Addresses are compared with the owners of keys, and people write them in either case.
  const name = given.includes('@') ? given.toLowerCase() : given;
  if (name.trim() === '' || name.length > MAX_NAME_CHARACTERS) {
    throw new SignInFault(
      'claims',
      `the claim '${settings.userClaim}' is absent, or no text of at most 200 characters`,
    );
  }
  if (settings.userClaim === 'email' && claims['email_verified'] === false) {
    throw new SignInFault('claims', 'the e-mail address is not verified');
  }
  const role = roleOf(textsOf(claimOf(claims, settings.groupsClaim)), settings.roles);
  if (role === undefined) throw new SignInFault('no_role', 'console.oidc.roles gives this person no role');
  return { issuer: settings.issuer, subject, name, role };
}

function toFault(error: unknown, { AuthorizationResponseError }: Library): SignInFault {
  if (error instanceof SignInFault) return error;
  if (error instanceof AuthorizationResponseError) {
    return new SignInFault('denied', `the identity provider says ${error.error.slice(0, 64)}`, error);
  }
  return new SignInFault('provider', 'the response of the identity provider cannot be used', error);
}
