export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface MetricFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: MetricSample[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;
// Prometheus minds no case of NaN, and prom-client writes it in its own.
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (NaN|Nan|[+-]Inf|[+-]?[0-9.]+(?:e[+-]?[0-9]+)?)$`);
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
};

/**
 * Reads Prometheus' text format 0.0.4 as strictly as `promtool check metrics`: HELP, then TYPE, then the samples of one
 * family and nothing of another; no series twice; labels well escaped; counters end in `_total`; buckets rise and the infinite
 * one is the count.
 */
export function parseMetrics(text: string): Map<string, MetricFamily> {
  if (!text.endsWith('\n')) throw new Error('the text does not end with a newline');
  const families = new Map<string, MetricFamily>();
  const seen = new Set<string>();
  let help: [name: string, text: string] | undefined;
  let family: MetricFamily | undefined;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const comment = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`).exec(line);
    if (comment !== null) {
      const [, kind, name = '', rest = ''] = comment;
      if (kind === 'HELP') {
        if (families.has(name)) throw new Error(`a second HELP of ${name}`);
        help = [name, rest];
        family = undefined;
      } else {
        if (help?.[0] !== name) throw new Error(`TYPE of ${name} does not follow its HELP`);
        if (!/^(?:counter|gauge|histogram|summary)$/.test(rest)) throw new Error(`${name} has the type ${rest}`);
        family = { name, type: rest, help: help[1], samples: [] };
        families.set(name, family);
      }
      continue;
    }
    const [, name = '', labelText = '', value = ''] = SAMPLE.exec(line) ?? [];
    if (name === '') throw new Error(`no sample: ${line}`);
    const ofFamily = (SUFFIXES[family?.type ?? ''] ?? ['']).map((suffix) => `${family?.name}${suffix}`);
    if (family === undefined || !ofFamily.includes(name)) throw new Error(`${name} stands under another family`);
    const labels = parseLabels(labelText);
    const series = `${name}${JSON.stringify(Object.entries(labels).sort())}`;
    if (seen.has(series)) throw new Error(`the series twice: ${line}`);
    seen.add(series);
    family.samples.push({ name, labels, value: numberOf(value) });
  }
  for (const each of families.values()) check(each);
  return families;
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const [, name = '', value = ''] = LABEL.exec(text) ?? [];
    if (name === '') throw new Error(`wrong labels: ${text}`);
    if (name in labels) throw new Error(`the label ${name} twice: ${text}`);
    labels[name] = value.replace(/\\(.)/g, (_match, escaped: string) => (escaped === 'n' ? '\n' : escaped));
  }
  return labels;
}

function numberOf(text: string): number {
  return text.toLowerCase() === 'nan' ? NaN : Number(text.replace('Inf', 'Infinity'));
}

function check({ name, type, samples }: MetricFamily): void {
  if (type === 'counter') {
    if (!name.endsWith('_total')) throw new Error(`the counter ${name} does not end in _total`);
    if (samples.some(({ value }) => !(value >= 0))) throw new Error(`the counter ${name} is below zero`);
  }
  if (type !== 'histogram') return;
  const groups = new Map<string, MetricSample[]>();
  for (const sample of samples) {
    const rest = Object.entries(sample.labels).filter(([label]) => label !== 'le');
    const id = JSON.stringify(rest);
    groups.set(id, [...(groups.get(id) ?? []), sample]);
  }
  for (const group of groups.values()) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => numberOf(labels['le'] ?? 'none'));
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    const isRising = (values: number[]): boolean => values.every((value, at) => at === 0 || value >= values[at - 1]!);
    if (bounds.some(Number.isNaN) || !isRising(bounds)) throw new Error(`${name} has buckets out of order`);
    if (!isRising(buckets.map(({ value }) => value))) throw new Error(`${name} is not cumulative`);
    if (bounds.at(-1) !== Infinity || buckets.at(-1)?.value !== count)
      throw new Error(`${name}: +Inf is not the count`);
    if (!group.some((sample) => sample.name === `${name}_sum`)) throw new Error(`${name} has no sum`);
  }
}
