import type { Metric, Registry } from 'prom-client';

type Labels = Readonly<Record<string, string>>;

interface Sample {
  readonly labels: Labels;
  readonly value: number;
  readonly metricName?: string;
}

/**
 * Metrics that are counted on the hot path. prom-client sorts and joins the labels at each call; here a series is resolved once
 * and then kept by the counting code, so that counting is an addition. They register with prom-client, which prints them.
 */
abstract class PlainMetric<Series> {
  protected abstract readonly type: 'counter' | 'histogram';
  protected readonly all = new Map<string, { readonly labels: Labels; readonly series: Series }>();

  constructor(
    readonly name: string,
    readonly help: string,
    registry: Registry,
  ) {
    // prom-client prints any object of this shape, but its types accept only its own classes.
    registry.registerMetric(this as unknown as Metric);
  }

  /** The series with these labels, always in the same order. Keep it: finding it again costs more than counting. */
  series(labels: Labels): Series {
    const id = Object.values(labels).join('\0');
    let found = this.all.get(id);
    if (found === undefined) {
      found = { labels, series: this.create() };
      this.all.set(id, found);
    }
    return found.series;
  }

  /** The interface that prom-client requires. */
  get(): Promise<{ name: string; help: string; type: string; aggregator: 'sum'; values: Sample[] }> {
    const { name, help, type } = this;
    const values = [...this.all.values()].flatMap(({ labels, series }) => this.samples(labels, series));
    return Promise.resolve({ name, help, type, aggregator: 'sum', values });
  }

  protected abstract create(): Series;
  protected abstract samples(labels: Labels, series: Series): Sample[];
}

/** One series of a counter. */
export interface CounterSeries {
  value: number;
}

/** Add to the `value` of a series. */
export class PlainCounter extends PlainMetric<CounterSeries> {
  protected readonly type = 'counter';

  protected create(): CounterSeries {
    return { value: 0 };
  }

  protected samples(labels: Labels, { value }: CounterSeries): Sample[] {
    return [{ labels, value }];
  }
}

/** One series of a histogram. */
export class HistogramSeries {
  /** Counts of each bucket alone; the last one has no bound. */
  readonly counts: number[];
  sum = 0;

  constructor(private readonly bounds: readonly number[]) {
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    const { bounds } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket += 1;
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.sum += value;
  }
}

/** A histogram whose series are updated without a lookup of labels. */
export class PlainHistogram extends PlainMetric<HistogramSeries> {
  protected readonly type = 'histogram';

  /** @param bounds upper bounds of the buckets, rising, without the infinite one */
  constructor(
    name: string,
    help: string,
    private readonly bounds: readonly number[],
    registry: Registry,
  ) {
    super(name, help, registry);
  }

  protected create(): HistogramSeries {
    return new HistogramSeries(this.bounds);
  }

  protected samples(labels: Labels, { counts, sum }: HistogramSeries): Sample[] {
    let total = 0;
    const samples: Sample[] = counts.map((count, bucket) => ({
      metricName: `${this.name}_bucket`,
      labels: { ...labels, le: String(this.bounds[bucket] ?? '+Inf') },
      value: (total += count),
    }));
    samples.push({ metricName: `${this.name}_sum`, labels, value: sum });
    samples.push({ metricName: `${this.name}_count`, labels, value: total });
    return samples;
  }
}
