interface MetricSample {
  readonly labels: Readonly<Record<string, string | number | undefined>>;
  /** Null stands for NaN, which JSON cannot write. */
  readonly value: number | null;
  readonly metricName?: string | undefined;
}

/** A metric with its series, as prom-client returns it. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  /** `counter`, `gauge`, `histogram` or `summary`. */
  readonly type: string;
  /** How prom-client aggregates it over processes: sum, max, min, first, average or omit. */
  readonly aggregator?: string;
  readonly values: readonly MetricSample[];
}

/**
 * Merges the metrics of several processes into one set. Counters and histograms are summed. Other metrics report the highest
 * value, averages included, because operators look for the process that lags; those that prom-client would omit, such as the
 * start time, report the lowest.
 */
export function mergeMetrics(parts: readonly (readonly MetricFamily[])[]): MetricFamily[] {
  const merged = new Map<string, { family: MetricFamily; series: Map<string, MetricSample> }>();
  for (const family of parts.flat()) {
    let known = merged.get(family.name);
    if (known === undefined) {
      known = { family, series: new Map() };
      merged.set(family.name, known);
    }
    const combine = combinationOf(family);
    for (const sample of family.values) {
      const id = `${sample.metricName ?? ''} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
      const before = known.series.get(id);
      known.series.set(id, before === undefined ? sample : { ...sample, value: combine(before.value, sample.value) });
    }
  }
  return [...merged.values()].map(({ family, series }) => ({ ...family, values: [...series.values()] }));
}

/** Metrics that are kept after their process has exited; otherwise sums would fall when a process ends. */
export function lastingMetrics(families: readonly MetricFamily[]): MetricFamily[] {
  return families.filter(({ type }) => type === 'counter' || type === 'histogram');
}

type Combination = (a: number | null, b: number | null) => number | null;

function combinationOf({ type, aggregator }: MetricFamily): Combination {
  if (type === 'counter' || type === 'histogram') return known((a, b) => a + b);
  switch (aggregator) {
    case 'max':
    case 'average':
    case 'first':
      return known(Math.max);
    case 'min':
    case 'omit':
      return known(Math.min);
    default:
      return known((a, b) => a + b);
  }
}

function known(combine: (a: number, b: number) => number): Combination {
  return (a, b) => (a === null ? b : b === null ? a : combine(a, b));
}
