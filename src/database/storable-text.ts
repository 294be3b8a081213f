/** PostgreSQL takes neither NUL nor one half of a surrogate pair in a text, and clients may send both. */
export function storableText(text: string): string {
  return Buffer.from(text.replaceAll('\0', '\ufffd')).toString();
}
