const PLACEHOLDER = /change.?me|placeholder|replace.?(?:me|this)|your.?(?:admin|api|own|secret|key)|^<.*>$|x{6}/i;
/** Parts that an attacker tries first. The strength of a secret is in what remains without them. */
const GUESSED_FIRST =
  /admin|administrator|secret|password|passwd|token|key|test|demo|dev|default|gateway|llm|master|root|user|abcdef|qwerty|(?:0?1?2345678?9?0?)+|[-_. ]/gi;
const FIX = 'Make one with: openssl rand -hex 24';

/** Why a secret cannot be used; undefined when it can. */
export function secretFault(value: string, minLength: number): string | undefined {
  if (value.length < minLength) return `must have at least ${minLength} characters. ${FIX}`;
  if (PLACEHOLDER.test(value) || new Set(value.replace(GUESSED_FIRST, '')).size < 5)
    return `is a placeholder or too simple to be a secret. ${FIX}`;
  return undefined;
}
