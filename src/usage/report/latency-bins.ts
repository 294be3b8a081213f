/**
 * Each bin is so much wider than the one before: a percentile is wrong by at most half of that. Finer bins would make more rows
 * than a chart has points.
 */
const GROWTH = 1.15;

/** The bin of a number of milliseconds, as an SQL expression on either database. */
export function binOf(column: string): string {
  return `CASE WHEN ${column} IS NULL THEN NULL WHEN ${column} < 1 THEN 0 ELSE CAST(FLOOR(LN(${column}) / ${Math.log(GROWTH)}) AS INTEGER) END`;
}

/** The same for a value. */
export function binOfValue(milliseconds: number): number {
  return milliseconds < 1 ? 0 : Math.floor(Math.log(milliseconds) / Math.log(GROWTH));
}

/** Milliseconds, rounded; null where nothing was measured. */
export interface Percentiles {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** Percentiles of measurements that were counted by bin; within a bin they are taken as evenly spread. */
export function percentilesOf(counts: ReadonlyMap<number, number>): Percentiles {
  const bins = [...counts].sort(([one], [other]) => one - other);
  const total = bins.reduce((sum, [, count]) => sum + count, 0);
  const at = (share: number): number | null => {
    let rank = share * total;
    for (const [bin, count] of bins) {
      if (rank <= count) return Math.round(GROWTH ** (bin + rank / count));
      rank -= count;
    }
    return null;
  };
  return total === 0 ? { p50: null, p95: null, p99: null } : { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}
