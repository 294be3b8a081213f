import { useMemo, useState } from 'react';
import { useQuery } from '@tanstack/react-query';
import { ChartColumn, Download } from 'lucide-react';
import { saveFile } from '../api/client';
import { useListPages } from '../api/list-pages';
import { isRead, readGroups, readUsage, totalOf, usageCsv, type UsageRow } from '../api/usage';
import { count, day, exact, share, usd } from '../format';
import {
  Button,
  Card,
  Empty,
  ErrorNote,
  Input,
  PageHeader,
  Segmented,
  Select,
  Skeleton,
  SkeletonRows,
} from '../ui/basics';
import { ChartSkeleton, TimeChart } from '../ui/chart';
import { bucketsOf, PERIODS, useFilters, usePeriod, type Period } from '../ui/filters';
import { DataTable, type Column } from '../ui/table';
import { notifyError } from '../ui/toast';

const GROUPS = [
  ['model', 'Model'],
  ['key', 'Key'],
  ['group', 'Group'],
  ['provider', 'Provider'],
  ['user', 'End user'],
  ['session', 'Session'],
  ['operation', 'Operation'],
  ['wire_format', 'Wire format'],
] as const;

const nameOf = (row: UsageRow): string => row.group_name ?? row.group ?? 'none';

/** A day as its beginning in UTC, in which the sums are kept. */
const utcDay = (text: string | undefined): number | undefined => {
  const at = text === undefined ? NaN : Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(at) ? undefined : at / 1_000;
};

function useSpan(search: Readonly<Record<string, string | undefined>>): Period {
  const preset = usePeriod(search['period'], '30d');
  const from = utcDay(search['from']);
  const until = utcDay(search['until']);
  return useMemo(() => {
    if (from === undefined && until === undefined) return preset;
    const end = until === undefined ? preset.end : until + 86_400;
    const start = Math.min(from ?? end - 30 * 86_400, end - 86_400);
    return { ...preset, start, end, interval: end - start > 7 * 86_400 ? 'day' : 'hour' };
  }, [preset, from, until]);
}

export function Usage() {
  const [search, change] = useFilters();
  const period = useSpan(search);
  const by = GROUPS.find(([each]) => each === search['by'])?.[0] ?? 'model';
  const [isSaving, setSaving] = useState(false);
  const { start, end, interval } = period;
  const isCustom = search['from'] !== undefined || search['until'] !== undefined;
  const { query: sums, rows } = useListPages(['usage', 'by', by, start, end], (place, signal) =>
    readGroups({ start, end, interval: 'none', group_by: by }, place, signal),
  );
  // The gateway reads reports in turns, so that the first is there sooner when the second begins after it.
  const hasSums = isRead(sums);
  const overTime = useQuery({
    enabled: hasSums,
    queryKey: ['usage', start, end, interval],
    queryFn: ({ signal }) => readUsage({ start, end, interval }, { signal }),
    placeholderData: (before) => before,
  });
  const isByCost = sums.data?.pages[0]?.order_by !== 'group';
  const total = totalOf(overTime.data ?? []);
  const cost = overTime.data === undefined ? undefined : total.cost;
  const columns = useMemo(() => columnsOf(by, cost), [by, cost]);
  const save = (): void => {
    setSaving(true);
    usageCsv({ start, end, interval: 'day', group_by: by })
      .then((csv) => saveFile(new Blob([csv], { type: 'text/csv;charset=utf-8' }), `usage-by-${by}.csv`))
      .catch(notifyError)
      .finally(() => setSaving(false));
  };
  return (
    <>
      <PageHeader title="Usage and cost" about="What was spent, on what and by whom. Days begin at midnight UTC.">
        <Button icon={Download} busy={isSaving} onClick={save}>
          CSV
        </Button>
        <Segmented
          label="Period"
          value={isCustom ? ('' as never) : period.name}
          options={PERIODS}
          onChange={(name) => change({ period: name, from: undefined, until: undefined })}
        />
      </PageHeader>
      <div className="mb-4 grid gap-4 lg:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
        <Card
          title="Spend"
          aside={overTime.data !== undefined && <span className="num font-semibold">{usd(total.cost)}</span>}
        >
          {overTime.error !== null ? (
            <ErrorNote error={overTime.error} />
          ) : overTime.data === undefined ? (
            <ChartSkeleton />
          ) : (
            <SpendOverTime period={period} rows={overTime.data} />
          )}
        </Card>
        <Forecast period={period} isEnabled={hasSums} />
      </div>
      <Card flush>
        <div className="flex flex-wrap items-end gap-2 border-b border-line p-3">
          <Select
            aria-label="Group by"
            className="w-40"
            value={by}
            onChange={(event) => change({ by: event.target.value })}
          >
            {GROUPS.map(([each, label]) => (
              <option key={each} value={each}>
                By {label.toLowerCase()}
              </option>
            ))}
          </Select>
          <Input
            data-filter
            aria-label="From day"
            type="date"
            className="!w-36"
            value={search['from'] ?? ''}
            onChange={(event) => change({ from: event.target.value })}
          />
          <Input
            aria-label="Until day"
            type="date"
            className="!w-36"
            value={search['until'] ?? ''}
            onChange={(event) => change({ until: event.target.value })}
          />
          <p className="num h-[1.375rem] basis-full truncate text-muted xl:ml-auto xl:basis-auto xl:self-center">
            {overTime.data !== undefined && `${exact(total.requests)} requests, ${count(total.tokens)} tokens`}
          </p>
        </div>
        {sums.error !== null ? (
          <div className="p-4">
            <ErrorNote error={sums.error} onRetry={() => void sums.refetch()} />
          </div>
        ) : sums.data === undefined ? (
          <SkeletonRows />
        ) : rows.length === 0 ? (
          <Empty icon={ChartColumn} title="Nothing was used in this period">
            Choose a longer period, or send a request.
          </Empty>
        ) : (
          <DataTable
            key={by}
            label="Usage"
            columns={columns}
            rows={rows}
            keyOf={({ group }) => group ?? ''}
            initialSort={{ id: 'cost', descending: true }}
            hasMore={sums.hasNextPage}
            isLoadingMore={sums.isFetchingNextPage}
            onMore={() => void sums.fetchNextPage()}
          />
        )}
        {!isByCost && (
          <p className="p-3 text-muted">
            There are too many groups to order them by cost; they are in their own order.
          </p>
        )}
      </Card>
    </>
  );
}

/** @param cost of all rows; undefined until it is known */
function columnsOf(by: (typeof GROUPS)[number][0], cost: number | undefined): readonly Column<UsageRow>[] {
  const label = GROUPS.find(([each]) => each === by)?.[1] ?? by;
  return [
    {
      id: 'name',
      header: label,
      width: 'minmax(0,2fr)',
      sort: nameOf,
      cell: (row) => <span className="font-medium">{nameOf(row)}</span>,
    },
    {
      id: 'requests',
      header: 'Requests',
      isNumber: true,
      from: 520,
      sort: (row) => row.requests,
      cell: (row) => exact(row.requests),
    },
    {
      id: 'failed',
      header: 'Failed',
      isNumber: true,
      from: 900,
      sort: (row) => row.failed_requests / Math.max(1, row.requests),
      cell: (row) => (
        <span className={row.failed_requests > row.requests * 0.05 ? 'text-bad' : 'text-muted'}>
          {row.requests === 0 ? '–' : share(row.failed_requests / row.requests)}
        </span>
      ),
    },
    {
      id: 'prompt',
      header: 'Tokens in',
      isNumber: true,
      from: 760,
      sort: (row) => row.prompt_tokens,
      cell: (row) => count(row.prompt_tokens),
    },
    {
      id: 'completion',
      header: 'Tokens out',
      isNumber: true,
      from: 760,
      sort: (row) => row.completion_tokens,
      cell: (row) => count(row.completion_tokens),
    },
    {
      id: 'cached',
      header: 'From cache',
      isNumber: true,
      from: 1150,
      sort: (row) => row.cached_tokens,
      cell: (row) => (row.prompt_tokens === 0 ? '–' : share(row.cached_tokens / row.prompt_tokens)),
    },
    {
      id: 'cost',
      header: 'Cost',
      isNumber: true,
      sort: (row) => row.cost_usd,
      cell: (row) => (
        <>
          {usd(row.cost_usd)}
          {row.unpriced_requests > 0 && <span title={`${row.unpriced_requests} requests have no known price`}> *</span>}
        </>
      ),
    },
    {
      id: 'share',
      header: 'Share',
      width: '5rem',
      isNumber: true,
      from: 560,
      cell: (row) =>
        cost !== undefined && <span className="text-muted">{cost > 0 ? share(row.cost_usd / cost) : '–'}</span>,
    },
  ];
}

function SpendOverTime({ period, rows }: { readonly period: Period; readonly rows: readonly UsageRow[] }) {
  const chart = useMemo(() => {
    const times = bucketsOf(period);
    const byTime = new Map(rows.map((row) => [row.bucket, row.cost_usd]));
    return {
      times,
      series: [{ label: 'US dollars', values: times.map((at) => byTime.get(at) ?? 0), colour: 1 as const }],
    };
  }, [period, rows]);
  return <TimeChart label="Spend over time" kind="bars" times={chart.times} series={chart.series} format={usd} />;
}

/**
 * What the month will cost if the rest of it is like the last seven whole days.
 *
 * @param props `period` of the page, whose sums are used where they have all days that the forecast needs; `isEnabled` whether they may be read
 */
function Forecast({ period, isEnabled }: { readonly period: Period; readonly isEnabled: boolean }) {
  const span = useMemo(() => {
    const now = new Date();
    const today = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()) / 1_000;
    return {
      today,
      monthStart: Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1) / 1_000,
      monthEnd: Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1) / 1_000,
      now: Math.ceil(now.getTime() / 60_000) * 60,
    };
  }, []);
  const first = Math.min(span.monthStart, span.today - 7 * 86_400);
  const isInPeriod = period.interval === 'day' && period.start <= first && period.end >= span.now;
  const { start, end } = isInPeriod ? period : { start: first, end: span.now };
  const { data, error } = useQuery({
    enabled: isEnabled,
    queryKey: ['usage', start, end, 'day'],
    queryFn: ({ signal }) => readUsage({ start, end, interval: 'day' }, { signal }),
    placeholderData: (before) => before,
  });
  const rows = data ?? [];
  const soFar = totalOf(rows.filter(({ bucket }) => bucket >= span.monthStart)).cost;
  const lastWeek = rows.filter(({ bucket }) => bucket >= span.today - 7 * 86_400 && bucket < span.today);
  const perDay = totalOf(lastWeek).cost / 7;
  const forecast = soFar + (perDay * Math.max(0, span.monthEnd - span.now)) / 86_400;
  return (
    <Card title="This month">
      {error !== null ? (
        <ErrorNote error={error} />
      ) : (
        <>
          <p className="text-sm text-muted">Forecast until {day(span.monthEnd - 1)}</p>
          <div className="num mt-1 h-[2.125rem] text-2xl font-semibold tracking-tight">
            {data === undefined ? <Skeleton className="h-7 w-28" /> : usd(forecast)}
          </div>
          <dl className="num mt-4 space-y-1.5">
            <div className="flex justify-between gap-4">
              <dt className="text-muted">Spent so far</dt>
              <dd className="w-20 text-right">{data !== undefined && usd(soFar)}</dd>
            </div>
            <div className="flex justify-between gap-4">
              <dt className="text-muted">A day, recently</dt>
              <dd className="w-20 text-right">{data !== undefined && usd(perDay)}</dd>
            </div>
          </dl>
          <p className="mt-4 text-xs text-muted">
            Assumes that the rest of the month is like the last seven whole days.
          </p>
        </>
      )}
    </Card>
  );
}
