/** A pattern for `LOWER(column) LIKE ... ESCAPE '!'` that finds a text at any position, with any characters. */
export function containing(text: string): string {
  return `%${text.toLowerCase().replace(/[!%_]/g, (character) => `!${character}`)}%`;
}
