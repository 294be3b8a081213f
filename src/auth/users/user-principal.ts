import { createHash } from 'node:crypto';
import { SCOPES, type Principal, type Role, type Scope } from '../principal.js';

const PREFIX = 'user_';
/** What each role may do by itself. A viewer reads by its role, see the key guard. */
const SCOPES_OF: Readonly<Record<Role, readonly Scope[]>> = { admin: SCOPES, viewer: [], member: [] };

/** The id of a person: the same for every sign-in, and no use at the identity provider. */
export function userIdOf(issuer: string, subject: string): string {
  return PREFIX + createHash('sha256').update(`${issuer}\n${subject}`).digest('hex').slice(0, 24);
}

/** Whether an id is that of a person rather than of a key. */
export function isUserId(id: string): boolean {
  return id.startsWith(PREFIX);
}

/** The rights of a person who signed in by OpenID Connect. */
export function principalOfUser({ id, name, role }: { id: string; name: string; role: Role }): Principal {
  return {
    keyId: id,
    name,
    role,
    scopes: new Set(SCOPES_OF[role]),
    allowedModels: null,
    groupId: null,
    accounts: [],
  };
}
