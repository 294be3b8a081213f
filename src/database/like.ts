/** A pattern for `LOWER(column) LIKE ... ESCAPE '!'` that finds a text wherever it stands, whatever characters it has. */
export function containing(text: string): string {
  return `%${text.toLowerCase().replace(/[!%_]/g, (character) => `!${character}`)}%`;
}
