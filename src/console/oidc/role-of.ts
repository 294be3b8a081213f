import type { Role } from '../../auth/principal.js';

/** In the order in which they are looked for. */
const ROLES = ['admin', 'viewer', 'member'] as const satisfies readonly Role[];
/** In a list of `roles`: everyone who signs in. */
const EVERYONE = '*';

/** Claims of an ID token or of the userinfo endpoint. */
export type Claims = Readonly<Record<string, unknown>>;

/**
 * A claim. A name with dots, such as `realm_access.roles`, leads into objects where no claim has that whole name.
 *
 * @returns undefined where it is absent
 */
export function claimOf(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let found: unknown = claims;
  for (const part of name.split('.')) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, part)) return undefined;
    found = (found as Claims)[part];
  }
  return found;
}

/** The texts of a claim: of a list, or the only one. Other values give nothing. */
export function textsOf(claim: unknown): readonly string[] {
  if (typeof claim === 'string') return [claim];
  return Array.isArray(claim) ? claim.filter((each): each is string => typeof each === 'string') : [];
}

/**
 * The role of a person.
 *
 * @param values of the claim, compared exactly
 * @returns undefined where no role applies, so that the person may not sign in
 */
export function roleOf(
  values: readonly string[],
  mapping: Readonly<Record<Role, readonly string[]>>,
): Role | undefined {
  return ROLES.find((role) => mapping[role].some((each) => each === EVERYONE || values.includes(each)));
}
