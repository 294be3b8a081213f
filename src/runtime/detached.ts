/** Characters from which V8 makes a part of a string refer to the whole string instead of copying it. */
const MIN_REFERRING_CHARACTERS = 13;

/**
 * The same text, without the string that it was cut out of, which V8 would keep in memory with it: for a short text that is kept for
 * longer than the long one that it comes from.
 */
export function detached(text: string): string {
  // The joined string is copied before it is cut, so that the result refers to this copy.
  return text.length < MIN_REFERRING_CHARACTERS ? text : ` ${text}`.slice(1);
}
