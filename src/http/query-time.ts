/** A date, or a date and time with its zone, as of ISO 8601. */
const ISO = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2}))?$/;

/**
 * A time of a query, in Unix seconds: digits are Unix seconds, `2026-11-01` is the start of that day in UTC, and
 * `2026-11-01T08:00:00+01:00` is a moment. Anything else is returned unchanged, for the validator to refuse.
 */
export function queryTime(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (/^\d{1,12}$/.test(value)) return Number(value);
  // A plus sign in a query that was not encoded arrives as a space.
  const text = value.replace(/ (?=\d{2}:?\d{2}$)/, '+');
  const milliseconds = ISO.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(milliseconds) ? value : Math.floor(milliseconds / 1_000);
}

/** A time as of ISO 8601 in UTC, without fractions of a second. */
export function isoSeconds(unixSeconds: number): string {
  return `${new Date(unixSeconds * 1_000).toISOString().slice(0, 19)}Z`;
}

/** The end of year 9999, in Unix seconds. */
export const LATEST_EPOCH_SECONDS = 253_402_300_799;
export const TIME_MESSAGE = { message: 'must be Unix seconds, or a date such as 2026-11-01 or 2026-11-01T08:00:00Z' };

/** Of a time in a query. Without an example, which Swagger UI would send along and so leave out what the reader looks for. */
export const timeSchema = (): object => ({
  oneOf: [
    { type: 'integer', minimum: 0, maximum: LATEST_EPOCH_SECONDS },
    { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}(T.+)?$' },
  ],
});
