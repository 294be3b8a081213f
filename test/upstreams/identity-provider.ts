import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider, type Configuration } from 'oidc-provider';

/** What the identity provider knows of a person. */
export interface Person {
  readonly email?: string;
  readonly email_verified?: boolean;
  readonly groups?: readonly string[] | string;
}

/** A real OpenID provider, which signs in the person that the test names, without a form. */
export interface IdentityProvider {
  readonly issuer: string;
  /** Who is in front of every browser from now on, by their subject; null declines the sign-in. */
  signInAs(subject: string | null): void;
  /** Subjects with what is known of them; tests add to it. */
  readonly people: Map<string, Person>;
  /** Paths of the requests so far. */
  readonly requests: string[];
  stop(): Promise<void>;
}

interface Options {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Origin of the gateway, as browsers see it. */
  readonly redirectBase: string;
}

/** Starts the provider of npm's `oidc-provider` on a free port. It demands PKCE. */
export async function startIdentityProvider({
  clientId,
  clientSecret,
  redirectBase,
}: Options): Promise<IdentityProvider> {
  const people = new Map<string, Person>();
  const requests: string[] = [];
  let subject: string | null = null;
  let serve: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) => response.end();
  const server = createServer((request, response) => serve(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const configuration: Configuration = {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [`${redirectBase}/v1/session/oidc/callback`],
        post_logout_redirect_uris: [`${redirectBase}/console/`],
      },
    ],
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...people.get(id) }) }),
    // Groups are in the ID token, and the address at the userinfo endpoint alone.
    conformIdTokenClaims: true,
    claims: { openid: ['sub', 'groups'], email: ['email', 'email_verified'], profile: [] },
    pkce: { required: () => true },
    cookies: { keys: ['of this test'] },
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
  };
  const provider = new Provider(issuer, configuration);
  const callback = provider.callback();
  const interact = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { prompt, params, session } = await provider.interactionDetails(request, response);
    if (subject === null) {
      await provider.interactionFinished(request, response, { error: 'access_denied', error_description: 'declined' });
    } else if (prompt.name === 'login') {
      await provider.interactionFinished(request, response, { login: { accountId: subject, remember: false } });
    } else {
      const grant = new provider.Grant({
        accountId: session?.accountId ?? subject,
        clientId: String(params['client_id']),
      });
      grant.addOIDCScope(String(params['scope']));
      await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
    }
  };
  serve = (request, response) => {
    const { url = '' } = request;
    requests.push(url.split('?')[0] ?? '');
    if (!url.startsWith('/interaction/')) void callback(request, response);
    else
      interact(request, response).catch((error: unknown) => {
        response.statusCode = 500;
        response.end(String(error));
      });
  };
  return {
    issuer,
    people,
    requests,
    signInAs: (next) => (subject = next),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
