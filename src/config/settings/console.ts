import { section } from './composites.js';
import { duration, flag } from './kinds.js';
import { OIDC } from './oidc.js';
import { setting } from './setting.js';

export const CONSOLE = section('The web console at `/console`.', {
  enabled: setting(flag(), {
    description: 'Whether the console is served, `/` leads browsers to it, and keys may sign in to a session.',
    default: true,
  }),
  idle_timeout: setting(duration(), {
    description: 'How long a session lasts without a request.',
    default: '12h',
  }),
  session_lifetime: setting(duration(), {
    description: 'How long a session lasts at most; then its key has to be pasted again.',
    default: '7d',
  }),
  oidc: setting(OIDC, {
    description: 'Lets people sign in at an identity provider by OpenID Connect, see docs/console.md.',
    without: 'people sign in with keys alone',
    example: {
      issuer: 'https://login.example.com',
      client_id: 'llm-gateway',
      client_secret: '${OIDC_CLIENT_SECRET}',
      redirect_base: 'https://gateway.example.com',
      roles: { admin: ['platform-admins'], member: ['*'] },
    },
  }),
});
