const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Binary multiples, as memory is measured: 1 KB is 1,024 bytes. */
const SIZE_UNITS: Readonly<Record<string, number>> = { B: 1, KB: 1_024, MB: 1_024 ** 2, GB: 1_024 ** 3 };

/**
 * Reads `500ms`, `5s`, `10m`, `2h`, `30d`, or 0.
 *
 * @returns milliseconds, or undefined when the text is none of these
 */
export function parseDuration(value: unknown): number | undefined {
  return parseWithUnit(value, /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/, DURATION_UNITS);
}

/**
 * Reads `512KB`, `32MB`, `1GB` (binary multiples), or 0.
 *
 * @returns bytes, or undefined when the text is none of these
 */
export function parseSize(value: unknown): number | undefined {
  return parseWithUnit(value, /^(\d+(?:\.\d+)?)\s*(B|KB|MB|GB)$/, SIZE_UNITS);
}

function parseWithUnit(value: unknown, pattern: RegExp, units: Readonly<Record<string, number>>): number | undefined {
  if (value === 0 || value === '0') return 0;
  if (typeof value !== 'string') return undefined;
  const [, amount, unit] = pattern.exec(value.trim()) ?? [];
  const factor = unit === undefined ? undefined : units[unit];
  if (amount === undefined || factor === undefined) return undefined;
  const result = Math.round(Number(amount) * factor);
  return Number.isSafeInteger(result) ? result : undefined;
}
