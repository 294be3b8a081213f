/** Bytes of one encoded name in a header; what is longer ends in `...`. */
export const MAX_HEADER_TEXT_BYTES = 256;
/** Bytes of an encoded list of names in a header. Clients and proxies take 8 to 16 KB for all headers together. */
export const MAX_HEADER_LIST_BYTES = 1024;

const CUT = '...';
const SEPARATOR = ', ';
/** The characters that need no encoding: visible ASCII without `%` (begins a code) and `,` (separates names). */
const PLAIN = /^[!-$&-+\--~]*$/;

/**
 * Text of clients or of the configuration as a header value: UTF-8 in percent-encoding, so that `decodeURIComponent` gives the
 * text back. Visible ASCII except `%` and `,` is unchanged. Every header that carries such text is set through this function
 * or `headerList`, because Node refuses other characters with an exception.
 */
export function headerText(text: string, maxBytes = MAX_HEADER_TEXT_BYTES): string {
  if (text.length <= maxBytes && PLAIN.test(text)) return text;
  let encoded = '';
  for (const character of text) {
    const next = PLAIN.test(character) ? character : encodeURIComponent(character.toWellFormed());
    if (encoded.length + next.length > maxBytes - CUT.length) return encoded + CUT;
    encoded += next;
  }
  return encoded;
}

/** Several names, separated by `, `. Where not all have room, the last entry is `...`. */
export function headerList(names: readonly string[], maxBytes = MAX_HEADER_LIST_BYTES): string {
  let list = '';
  for (const name of names) {
    const next = (list === '' ? '' : SEPARATOR) + headerText(name);
    if (list.length + next.length > maxBytes - SEPARATOR.length - CUT.length) {
      return list === '' ? CUT : list + SEPARATOR + CUT;
    }
    list += next;
  }
  return list;
}
