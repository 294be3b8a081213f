/**
 * Rows as CSV of RFC 4180, the names first. Text that a spreadsheet would run as a formula gets an apostrophe before it.
 */
export function toCsv(columns: readonly string[], rows: readonly object[]): string {
  return `${columns.join(',')}\r\n${toCsvLines(columns, rows)}`;
}

/** The lines of rows, without the line of names. */
export function toCsvLines(columns: readonly string[], rows: readonly object[]): string {
  return rows
    .map((row) => `${columns.map((column) => cell((row as Readonly<Record<string, unknown>>)[column])).join(',')}\r\n`)
    .join('');
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
