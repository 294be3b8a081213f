import { group, list } from './composites.js';
import { text } from './kinds.js';
import { setting } from './setting.js';

const VALUES = list(text({ minLength: 1, maxLength: 256 }));

const ROLES = group({
  admin: setting(VALUES, {
    description: 'Values of the claim whose holders may do what an admin key may.',
    default: [],
    example: ['platform-admins'],
  }),
  viewer: setting(VALUES, {
    description: 'Values whose holders read everything that an administrator reads, and change nothing.',
    default: [],
    example: ['finance'],
  }),
  member: setting(VALUES, {
    description:
      'Values whose holders see the keys that they own, and the usage of these. `*` is everyone who signs in.',
    default: [],
    example: ['*'],
  }),
});

/** A sign-in by OpenID Connect. */
export const OIDC = group({
  issuer: setting(text({ form: 'URL', check: issuerFault }), {
    description: 'The issuer of the identity provider, whose `/.well-known/openid-configuration` describes it.',
    required: true,
    example: 'https://login.example.com',
  }),
  client_id: setting(text({ minLength: 1 }), {
    description: 'The id under which the gateway is registered at the identity provider.',
    required: true,
    example: 'llm-gateway',
  }),
  client_secret: setting(text({ minLength: 1 }), {
    description: 'The secret of that registration.',
    without: 'the gateway is a public client, which PKCE alone protects',
    secret: true,
  }),
  redirect_base: setting(text({ form: 'URL', check: baseFault }), {
    description:
      'The address at which browsers reach the gateway, without a path. `/v1/session/oidc/callback` below it is the redirect URI to register.',
    required: true,
    example: 'https://gateway.example.com',
  }),
  scopes: setting(list(text({ pattern: ['^[\\x21\\x23-\\x5b\\x5d-\\x7e]+$', 'is no scope'] }), { minItems: 1 }), {
    description: 'The scopes that are asked for; `openid` is always one of them.',
    default: ['openid', 'email', 'profile'],
    example: ['openid', 'email', 'profile', 'groups'],
  }),
  user_claim: setting(text({ minLength: 1 }), {
    description:
      'The claim that names a person: in the console, in the audit log, and as the `owner` of keys. It must be one that people cannot choose for themselves.',
    default: 'email',
    example: 'preferred_username',
  }),
  groups_claim: setting(text({ minLength: 1 }), {
    description: 'The claim that `roles` maps: a text or a list of texts. A dot leads into an object.',
    default: 'groups',
    example: 'realm_access.roles',
  }),
  roles: setting(ROLES, {
    description:
      'Which values of the claim give which role. The first that applies of `admin`, `viewer` and `member` counts; without one, a person is not let in.',
    required: true,
    example: { admin: ['platform-admins'], viewer: ['finance'], member: ['*'] },
  }),
});

const LOCAL = /^(?:localhost|127\.0\.0\.1|\[::1\])$/;

/** Tokens are signed, but the code and the secret must not be readable on the way. */
function issuerFault(url: string): string | undefined {
  const parsed = partsOf(url);
  if (parsed === undefined || parsed.search !== '' || parsed.hash !== '') return 'must be an https URL without a query';
  return isProtected(parsed) ? undefined : 'must be https; http is for an issuer on this machine alone';
}

function baseFault(url: string): string | undefined {
  const parsed = partsOf(url);
  if (parsed === undefined || parsed.search !== '' || parsed.hash !== '' || parsed.pathname !== '/')
    return 'must be an http or https URL without a path';
  return isProtected(parsed) ? undefined : 'must be https; http is for a gateway on this machine alone';
}

function partsOf(text: string): URL | undefined {
  try {
    const url = new URL(text);
    return /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' ? url : undefined;
  } catch {
    return undefined;
  }
}

function isProtected({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || LOCAL.test(hostname);
}
