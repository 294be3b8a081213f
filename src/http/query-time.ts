/** A date, or a date and time with its zone, as of ISO 8601. */
const ISO = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2}))?$/;

/** The same with its bounds, for the document; times before 1971 are left out, because their zone may put them before 1970. */
const DOCUMENTED =
  /^(197[1-9]|19[89]\d|[2-9]\d{3})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-]([01]\d|2[0-3]):?[0-5]\d))?$/;

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
    { type: 'string', pattern: DOCUMENTED.source },
  ],
});
