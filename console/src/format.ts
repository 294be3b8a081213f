const money = new Intl.NumberFormat(undefined, { style: 'currency', currency: 'USD', maximumFractionDigits: 2 });
const fineMoney = new Intl.NumberFormat(undefined, {
  style: 'currency',
  currency: 'USD',
  minimumSignificantDigits: 1,
  maximumSignificantDigits: 3,
});
const compact = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const percent = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 });
const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const exactTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });
const date = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'short' });

/** US dollars. Small amounts keep three significant digits. */
export function usd(amount: number | null | undefined): string {
  if (amount === null || amount === undefined) return '–';
  if (amount === 0) return money.format(0);
  return Math.abs(amount) < 0.1 ? fineMoney.format(amount) : money.format(amount);
}
export const count = (value: number): string =>
  Math.abs(value) < 10_000 ? whole.format(value) : compact.format(value);
export const exact = (value: number): string => whole.format(value);
export const share = (value: number): string => percent.format(value);

export function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (value < 1_000) return `${Math.round(value)} ms`;
  if (value < 60_000) return `${(value / 1_000).toFixed(value < 10_000 ? 2 : 1)} s`;
  return duration(value / 1_000);
}

/** Bytes in binary multiples. */
export function bytes(value: number): string {
  if (value < 1_024) return `${value} B`;
  const power = Math.min(4, Math.floor(Math.log2(value) / 10));
  return `${(value / 1_024 ** power).toFixed(1)} ${['B', 'KB', 'MB', 'GB', 'TB'][power] ?? ''}`;
}

/** Seconds as `2 h 5 min`. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3_600) return `${Math.floor(s / 60)} min${s % 60 > 0 ? ` ${s % 60} s` : ''}`;
  if (s < 86_400) return `${Math.floor(s / 3_600)} h ${Math.round((s % 3_600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.round((s % 86_400) / 3_600)} h`;
}

/** Unix seconds, in the viewer's zone. */
export const time = (seconds: number): string => dateTime.format(seconds * 1_000);
export const fullTime = (seconds: number): string => exactTime.format(seconds * 1_000);
export const day = (seconds: number): string => date.format(seconds * 1_000);

export function ago(seconds: number): string {
  const past = seconds - Date.now() / 1_000;
  const size = Math.abs(past);
  if (size < 60) return relative.format(Math.round(past), 'second');
  if (size < 3_600) return relative.format(Math.round(past / 60), 'minute');
  if (size < 86_400) return relative.format(Math.round(past / 3_600), 'hour');
  if (size < 30 * 86_400) return relative.format(Math.round(past / 86_400), 'day');
  return day(seconds);
}

/** US dollars per token as dollars per million. */
export function perMillion(perToken: string | undefined): string {
  return perToken === undefined ? '–' : usd(Number(perToken) * 1_000_000);
}
