/** PostgreSQL rejects NUL and lone surrogates in a text, and clients may send both. */
export function storableText(text: string): string {
  const whole = text.isWellFormed() ? text : text.toWellFormed();
  return whole.includes('\0') ? whole.replaceAll('\0', '\ufffd') : whole;
}

const UNSTORABLE_ESCAPE = /((?<!\\)(?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/gi;

/**
 * The same for JSON, which has these characters as escapes. PostgreSQL stores such JSON and then fails to read a member of it.
 *
 * @param json as `JSON.stringify` prints it: whole surrogate pairs are no escapes
 */
export function storableJson(json: string): string {
  return json.includes('\\u') ? json.replaceAll(UNSTORABLE_ESCAPE, '$1\\ufffd') : json;
}
