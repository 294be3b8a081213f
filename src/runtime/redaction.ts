/** The data that a key's setting can remove before an entry is stored. */
export const REDACTIONS = ['prompt', 'answer', 'files', 'email', 'phone', 'card', 'iban', 'ip', 'secret'] as const;
export type Redaction = (typeof REDACTIONS)[number];

/**
 * Bounded repetitions alone, so that no text makes them slow. The patterns may also remove other long numbers than card numbers.
 */
const PATTERNS: readonly (readonly [Redaction, RegExp])[] = [
  ['secret', /\b(?:sk|pk|rk|gw|ghp|gho|xox[abpr]|AKIA|AIza)[-_]?[A-Za-z0-9_-]{16,200}/g],
  ['secret', /\beyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,1000}/g],
  ['iban', /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b/g],
  ['card', /\b\d(?:[ -]?\d){12,18}\b/g],
  ['ip', /\b(?:\d{1,3}\.){3}\d{1,3}\b/g],
  ['ip', /\b(?:[A-Fa-f0-9]{1,4}:){3,7}[A-Fa-f0-9]{1,4}\b/g],
  ['phone', /(?<![\w.])\+?\(?\d{1,4}\)?(?:[ /.-]?\(?\d{2,4}\)?){2,5}(?![\w.])/g],
];

/** The part of an address after the `@`. */
const EMAIL_DOMAIN = /[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/y;
const EMAIL_NAME_CHARACTER = /[A-Za-z0-9._%+-]/;
const MAX_EMAIL_NAME_CHARACTERS = 64;
/** Redactions that apply to the text of strings. */
const OF_TEXT: ReadonlySet<Redaction> = new Set([...PATTERNS.map(([name]) => name), 'email']);

/** Replaces the matches of the patterns in the strings of a JSON text by the name of the pattern in brackets. */
export function redactJson(json: string, redactions: readonly Redaction[]): string {
  if (!redactions.some((name) => OF_TEXT.has(name))) return json;
  const value: unknown = JSON.parse(json, (_name, part: unknown) =>
    typeof part === 'string' ? redactText(part, redactions) : part,
  );
  return JSON.stringify(value);
}

/** Redacts one text. */
export function redactText(text: string, redactions: readonly Redaction[]): string {
  let redacted = redactions.includes('email') ? withoutEmails(text) : text;
  for (const [name, pattern] of PATTERNS) {
    if (redactions.includes(name)) redacted = redacted.replace(pattern, `[${name}]`);
  }
  return redacted;
}

/**
 * Finds each `@` and scans from there in both directions: a pattern for whole addresses would scan the name again from each of its
 * characters, which takes seconds for a megabyte of names without an `@`.
 */
function withoutEmails(text: string): string {
  const parts: string[] = [];
  let end = 0;
  for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
    let start = at;
    const earliest = Math.max(end, at - MAX_EMAIL_NAME_CHARACTERS);
    while (start > earliest && EMAIL_NAME_CHARACTER.test(text.charAt(start - 1))) start -= 1;
    if (start === at) continue;
    EMAIL_DOMAIN.lastIndex = at + 1;
    if (!EMAIL_DOMAIN.test(text)) continue;
    parts.push(text.slice(end, start), '[email]');
    end = EMAIL_DOMAIN.lastIndex;
    at = end - 1;
  }
  return parts.length === 0 ? text : parts.join('') + text.slice(end);
}
