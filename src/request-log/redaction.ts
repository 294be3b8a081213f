/** What a key's setting may take out before an entry is kept. */
export const REDACTIONS = ['prompt', 'answer', 'files', 'email', 'phone', 'card', 'iban', 'ip', 'secret'] as const;
export type Redaction = (typeof REDACTIONS)[number];

/**
 * Bounded repetitions alone, so that no text makes them slow. More is taken out than must be rather than less: a long number that is no card may go as well.
 */
const PATTERNS: readonly (readonly [Redaction, RegExp])[] = [
  ['secret', /\b(?:sk|pk|rk|gw|ghp|gho|xox[abpr]|AKIA|AIza)[-_]?[A-Za-z0-9_-]{16,200}/g],
  ['secret', /\beyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,1000}/g],
  ['email', /[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/g],
  ['iban', /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b/g],
  ['card', /\b\d(?:[ -]?\d){12,18}\b/g],
  ['ip', /\b(?:\d{1,3}\.){3}\d{1,3}\b/g],
  ['ip', /\b(?:[A-Fa-f0-9]{1,4}:){3,7}[A-Fa-f0-9]{1,4}\b/g],
  ['phone', /(?<![\w.])\+?\(?\d{1,4}\)?(?:[ /.-]?\(?\d{2,4}\)?){2,5}(?![\w.])/g],
];

/** Replaces what the patterns find in the strings of a JSON text by its name in brackets. */
export function redactJson(json: string, redactions: readonly Redaction[]): string {
  if (!PATTERNS.some(([name]) => redactions.includes(name))) return json;
  const value: unknown = JSON.parse(json, (_name, part: unknown) =>
    typeof part === 'string' ? redactText(part, redactions) : part,
  );
  return JSON.stringify(value);
}

/** The same for one text. */
export function redactText(text: string, redactions: readonly Redaction[]): string {
  let redacted = text;
  for (const [name, pattern] of PATTERNS) {
    if (redactions.includes(name)) redacted = redacted.replace(pattern, `[${name}]`);
  }
  return redacted;
}
