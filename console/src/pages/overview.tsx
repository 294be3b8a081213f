import { useMemo, useState, type ReactNode } from 'react';
import { Link } from '@tanstack/react-router';
import { useQuery } from '@tanstack/react-query';
import { ChartNoAxesCombined, CircleCheck } from 'lucide-react';
import { api, bodyOf, type Schemas } from '../api/client';
import { isRead, readTop, readUsage, totalOf, type UsageRow } from '../api/usage';
import { count, duration, exact, milliseconds, share, usd } from '../format';
import { Badge, Button, Card, Dot, Empty, ErrorNote, PageHeader, Segmented, Skeleton, type Tone } from '../ui/basics';
import { ChartSkeleton, RankedBars, TimeChart } from '../ui/chart';
import { Figures, type Figure } from '../ui/figures';
import { bucketsOf, PERIODS, useFilters, usePeriod, type Period } from '../ui/filters';

const REFRESH_MS = 30_000;
const TOP = 6;
/** Height of the list of the largest. */
const TOP_HEIGHT = 'min-h-[14.375rem]';

export function Overview() {
  const [search, change] = useFilters();
  const period = usePeriod(search['period']);
  const { start, end, interval } = period;
  const sums = useQuery({
    queryKey: ['usage', start, end, interval],
    queryFn: ({ signal }) => readUsage({ start, end, interval }, { signal }),
    refetchInterval: REFRESH_MS,
    placeholderData: (before) => before,
  });
  // The gateway reads reports in turns, so that the first is there sooner when the others begin after it.
  const hasSums = isRead(sums);
  const latency = useQuery({
    enabled: hasSums,
    queryKey: ['latency', start, end, interval],
    queryFn: ({ signal }) =>
      bodyOf(api.GET('/v1/admin/usage/latency', { params: { query: { start, end, interval } }, signal })),
    refetchInterval: REFRESH_MS,
    placeholderData: (before) => before,
  });
  const whole = useQuery({
    enabled: hasSums,
    queryKey: ['latency', 'whole', start, end],
    queryFn: ({ signal }) =>
      bodyOf(api.GET('/v1/admin/usage/latency', { params: { query: { start, end, interval: 'none' } }, signal })),
    placeholderData: (before) => before,
  });
  const total = totalOf(sums.data ?? []);
  return (
    <>
      <PageHeader title="Overview" about="Traffic, spend and health of this gateway.">
        <Segmented label="Period" value={period.name} options={PERIODS} onChange={(name) => change({ period: name })} />
      </PageHeader>
      <WrongNow />
      {sums.error !== null && <ErrorNote error={sums.error} onRetry={() => void sums.refetch()} />}
      {sums.data !== undefined && total.requests === 0 ? (
        <Card flush>
          <Empty
            icon={ChartNoAxesCombined}
            title="No requests in this period"
            action={
              <>
                <ButtonLink to="/start" isPrimary>
                  Connect a client
                </ButtonLink>
                <ButtonLink to="/playground">Try a model</ButtonLink>
              </>
            }
          >
            Send the first one from the playground, or connect a client in three steps.
          </Empty>
        </Card>
      ) : (
        <>
          <Figures
            figures={figuresOf(total, (end - start) / 3_600, whole.data?.data[0]?.first_byte_ms)}
            isPending={sums.isPending}
          />
          <Charts
            period={period}
            rows={sums.data ?? []}
            latency={latency.data?.data ?? []}
            isPending={sums.isPending}
          />
          <div className="mt-4 grid gap-4 md:grid-cols-2 xl:grid-cols-3">
            <TopList title="By model" by="model" period={period} isEnabled={hasSums} />
            <TopList title="By provider" by="provider" period={period} isEnabled={hasSums} />
            <TopList title="By key" by="key" period={period} isEnabled={hasSums} />
          </div>
        </>
      )}
    </>
  );
}

export function ButtonLink({
  to,
  children,
  isPrimary = false,
}: {
  readonly to: string;
  readonly children: ReactNode;
  readonly isPrimary?: boolean;
}) {
  return (
    <Link
      to={to}
      className={`inline-flex h-8 items-center rounded-md border px-3 text-sm font-medium ${isPrimary ? 'border-transparent bg-accent text-on-accent hover:bg-accent-strong' : 'border-line-strong bg-surface hover:bg-raised'}`}
    >
      {children}
    </Link>
  );
}

function figuresOf(
  total: ReturnType<typeof totalOf>,
  hours: number,
  firstByte: Schemas['Percentiles'] | undefined,
): readonly Figure[] {
  const failed = total.requests > 0 ? total.failed / total.requests : 0;
  return [
    { name: 'Requests', value: count(total.requests), note: `${count(total.requests / hours)} an hour` },
    {
      name: 'Failed',
      value: share(failed),
      note: `${exact(total.failed)} requests`,
      tone: failed > 0.05 ? 'bad' : failed > 0.01 ? 'warn' : 'neutral',
    },
    {
      name: 'Spend',
      value: usd(total.cost),
      note: total.requests > 0 ? `${usd(total.cost / total.requests)} a request` : 'no requests',
    },
    {
      name: 'Tokens',
      value: count(total.tokens),
      note: `${count(total.prompt)} in, ${count(total.completion)} out`,
    },
    {
      name: 'First token, median',
      value: milliseconds(firstByte?.p50),
      note: `95 %: ${milliseconds(firstByte?.p95)}`,
    },
  ];
}

interface ChartsProps {
  readonly period: Period;
  readonly rows: readonly UsageRow[];
  readonly latency: readonly Schemas['LatencyRow'][];
  readonly isPending: boolean;
}
function Charts({ period, rows, latency, isPending }: ChartsProps) {
  const data = useMemo(() => {
    const times = bucketsOf(period);
    const byTime = new Map(rows.map((row) => [row.bucket, row]));
    const slow = new Map(latency.map((row) => [row.bucket, row.first_byte_ms]));
    const sums = (read: (row: UsageRow) => number): number[] =>
      times.map((at) => {
        const row = byTime.get(at);
        return row === undefined ? 0 : read(row);
      });
    return {
      times,
      requests: [
        { label: 'All', values: sums((row) => row.requests), colour: 1 as const },
        { label: 'Failed', values: sums((row) => row.failed_requests), colour: 'bad' as const },
      ],
      spend: [{ label: 'US dollars', values: sums((row) => row.cost_usd), colour: 2 as const, isFilled: true }],
      tokens: [
        { label: 'Prompt', values: sums((row) => row.prompt_tokens), colour: 1 as const, isFilled: true },
        { label: 'Completion', values: sums((row) => row.completion_tokens), colour: 3 as const, isFilled: true },
      ],
      latency: (['p50', 'p95', 'p99'] as const).map((name, index) => ({
        label: name,
        values: times.map((at) => slow.get(at)?.[name] ?? null),
        colour: ([1, 3, 4] as const)[index] ?? 1,
      })),
    };
  }, [period, rows, latency]);
  const charts = [
    ['Requests', data.requests, count, 'bars'],
    ['Spend', data.spend, usd, 'line'],
    ['Time to first token', data.latency, milliseconds, 'line'],
    ['Tokens', data.tokens, count, 'line'],
  ] as const;
  return (
    <div className="grid gap-4 lg:grid-cols-2">
      {charts.map(([title, series, format, kind]) => (
        <Card key={title} title={title}>
          {isPending ? (
            <ChartSkeleton />
          ) : (
            <TimeChart label={`${title} over time`} times={data.times} series={series} format={format} kind={kind} />
          )}
        </Card>
      ))}
    </div>
  );
}

function TopList({
  title,
  by,
  period,
  isEnabled,
}: {
  readonly title: string;
  readonly by: 'model' | 'provider' | 'key';
  readonly period: Period;
  /** Whether its sums may be read. */
  readonly isEnabled: boolean;
}) {
  const { start, end } = period;
  const { data, error } = useQuery({
    enabled: isEnabled,
    queryKey: ['usage', 'top', by, start, end],
    queryFn: ({ signal }) => readTop({ start, end, interval: 'none', group_by: by }, TOP, signal),
    placeholderData: (before) => before,
  });
  return (
    <Card title={title} aside={<Badge>{data?.unit ?? 'spend'}</Badge>}>
      <div className={TOP_HEIGHT}>
        {error !== null ? (
          <ErrorNote error={error} />
        ) : data === undefined ? (
          <Skeleton className={`${TOP_HEIGHT} w-full`} />
        ) : (
          <RankedBars
            label={title}
            format={data.unit === 'spend' ? usd : count}
            rows={data.rows.map((row) => ({
              name: row.group_name ?? row.group ?? 'none',
              value: data.unit === 'spend' ? row.cost_usd : row.requests,
            }))}
          />
        )}
      </div>
    </Card>
  );
}

interface Problem {
  readonly id: string;
  readonly tone: Tone;
  readonly title: string;
  readonly detail: string;
  readonly to: string;
}

/** Open breakers, providers without quota, instances that are missing, budgets that are spent. */
function WrongNow() {
  const [isOpen, setOpen] = useState(false);
  const deployments = useQuery({
    queryKey: ['deployments'],
    queryFn: () => bodyOf(api.GET('/v1/admin/deployments')),
    refetchInterval: REFRESH_MS,
  });
  const instances = useQuery({
    queryKey: ['instances'],
    queryFn: () => bodyOf(api.GET('/v1/admin/instances')),
    refetchInterval: REFRESH_MS,
  });
  const keys = useQuery({
    queryKey: ['keys', 'active'],
    queryFn: () => bodyOf(api.GET('/v1/admin/keys', { params: { query: { limit: 100, revoked: 'false' } } })),
    refetchInterval: REFRESH_MS,
  });
  const problems: Problem[] = [];
  for (const each of deployments.data?.data ?? []) {
    if (each.drain !== null) {
      problems.push({
        id: each.id,
        tone: 'warn',
        title: `${each.id} is drained`,
        detail: `${each.drain.actor_name} has taken it out of service.`,
        to: '/models',
      });
    } else if (each.breaker !== 'closed') {
      const wait = each.retry_in_ms > 0 ? ` Tried again in ${duration(each.retry_in_ms / 1_000)}.` : '';
      problems.push({
        id: each.id,
        tone: 'bad',
        title: `${each.id} is not called`,
        detail: `${each.last_error === null ? 'It failed several times in a row.' : `Last error: ${each.last_error}.`}${wait}`,
        to: '/models',
      });
    } else if (each.out_of_quota_ms > 0) {
      problems.push({
        id: each.id,
        tone: 'bad',
        title: `${each.id} is out of quota`,
        detail: 'Raise the limit or pay the bill at the provider.',
        to: '/models',
      });
    } else if ((each.recent_error_rate ?? 0) > 0.1 && each.recent_failed >= 3) {
      problems.push({
        id: each.id,
        tone: 'warn',
        title: `${each.id} fails often`,
        detail: `${share(each.recent_error_rate ?? 0)} of its recent calls.${each.last_error === null ? '' : ` Last error: ${each.last_error}.`}`,
        to: '/models',
      });
    }
  }
  for (const each of instances.data?.data ?? []) {
    if (each.status === 'missing') {
      problems.push({
        id: each.id,
        tone: 'warn',
        title: `Instance ${each.host} is missing`,
        detail: 'It has sent no heartbeat for a minute.',
        to: '/settings',
      });
    }
  }
  for (const each of keys.data?.data ?? []) {
    if (each.budget_usage !== null && each.budget_usage.remaining_usd <= 0) {
      problems.push({
        id: each.id,
        tone: 'warn',
        title: `The budget of ${each.name} is spent`,
        detail: 'Its requests are refused until the budget resets.',
        to: '/keys',
      });
    }
  }
  const failed = [deployments, instances, keys].find(({ error }) => error !== null);
  if (failed?.error != null) {
    problems.push({
      id: 'unknown',
      tone: 'warn',
      title: 'The state could not be read',
      detail: failed.error.message,
      to: '/settings',
    });
  }
  const isPending = deployments.isPending || instances.isPending || keys.isPending;
  const [first, ...others] = problems.sort((one, other) => Number(other.tone === 'bad') - Number(one.tone === 'bad'));
  // One line at all times: what goes wrong while the page is read moves nothing below.
  return (
    <section className="card mb-4 overflow-hidden" aria-label="What is wrong now">
      <div className="flex h-11 items-center gap-3 px-4">
        {isPending ? (
          <Skeleton />
        ) : first === undefined ? (
          <p className="flex min-w-0 items-center gap-2.5 text-muted">
            <CircleCheck size={16} className="shrink-0 text-good" aria-hidden />
            <span className="truncate">All deployments take calls, and no budget of a recent key is spent.</span>
          </p>
        ) : (
          <>
            <ProblemLink problem={first} />
            {others.length > 0 && (
              <Button variant="ghost" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
                {isOpen ? 'Fewer' : `${others.length} more`}
              </Button>
            )}
          </>
        )}
      </div>
      {isOpen && !isPending && others.length > 0 && (
        <ul className="divide-y divide-line border-t border-line">
          {others.map((problem) => (
            <li key={`${problem.title} ${problem.id}`} className="flex h-11 items-center px-4">
              <ProblemLink problem={problem} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function ProblemLink({ problem: { tone, title, detail, to } }: { readonly problem: Problem }) {
  return (
    <Link to={to} className="flex min-w-0 flex-1 items-center gap-3 hover:underline" title={`${title}. ${detail}`}>
      <Dot tone={tone} />
      <span className="truncate font-medium sm:max-w-[60%] sm:shrink-0">{title}</span>
      <span className="hidden min-w-0 flex-1 truncate text-muted sm:block">{detail}</span>
    </Link>
  );
}
