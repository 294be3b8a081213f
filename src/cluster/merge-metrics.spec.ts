import { lastingMetrics, mergeMetrics, type MetricFamily } from './merge-metrics.js';

function family(name: string, type: string, value: number | null, fields: Partial<MetricFamily> = {}): MetricFamily {
  return { name, help: 'x', type, values: [{ labels: {}, value }], ...fields };
}

function valueOf(families: readonly MetricFamily[], name: string): number | null | undefined {
  return families.find((each) => each.name === name)?.values[0]?.value;
}

it('sums counters and gauges, and takes the highest or lowest of what does not add up', () => {
  const one = (value: number): MetricFamily[] => [
    family('c', 'counter', value),
    family('g', 'gauge', value, { aggregator: 'sum' }),
    family('highest', 'gauge', value, { aggregator: 'max' }),
    family('lag', 'gauge', value, { aggregator: 'average' }),
    family('started', 'gauge', value, { aggregator: 'omit' }),
    family('up', 'gauge', value, { aggregator: 'min' }),
  ];
  const merged = mergeMetrics([one(2), one(5), one(3)]);
  const values = ['c', 'g', 'highest', 'lag', 'started', 'up'].map((name) => valueOf(merged, name));
  expect(values).toEqual([10, 10, 5, 5, 2, 2]);
});

it('keeps series apart by their labels in any order, and buckets by their bound', () => {
  const part = (labels: Record<string, string>, value: number): MetricFamily[] => [
    family('h', 'histogram', 0, {
      values: [
        { metricName: 'h_bucket', labels: { ...labels, le: '1' }, value },
        { metricName: 'h_bucket', labels: { ...labels, le: '+Inf' }, value: value + 1 },
        { metricName: 'h_count', labels, value: value + 1 },
      ],
    }),
  ];
  const [merged] = mergeMetrics([
    part({ a: '1', b: '2' }, 3),
    part({ b: '2', a: '1' }, 4),
    part({ a: '2', b: '2' }, 7),
  ]);
  expect(merged?.values.map(({ value }) => value)).toEqual([7, 9, 9, 7, 8, 8]);
});

it('reports a value where one process has it, and none where no process does', () => {
  const latency = (value: number | null): MetricFamily[] => [family('l', 'gauge', value, { aggregator: 'max' })];
  expect(valueOf(mergeMetrics([latency(null), latency(0.2)]), 'l')).toBe(0.2);
  expect(valueOf(mergeMetrics([latency(null), latency(null)]), 'l')).toBeNull();
});

it('keeps of a process that has ended what counts upwards alone', () => {
  const left = lastingMetrics([family('c', 'counter', 1), family('g', 'gauge', 1), family('h', 'histogram', 1)]);
  expect(left.map(({ name }) => name)).toEqual(['c', 'h']);
});
