import { useState } from 'react';
import { Activity, Radio } from 'lucide-react';
import { api, bodyOf, type Schemas } from '../api/client';
import { useListPages } from '../api/list-pages';
import { useSession } from '../api/session';
import { count, milliseconds, usd } from '../format';
import {
  Badge,
  Button,
  Card,
  Dot,
  Empty,
  ErrorNote,
  Input,
  PageHeader,
  Segmented,
  Select,
  SkeletonRows,
  Time,
  type Tone,
} from '../ui/basics';
import { PERIODS, useFilters, usePeriod } from '../ui/filters';
import { DataTable, type Column } from '../ui/table';
import { RequestDetails } from './request-details';

export type UsageRecord = Schemas['UsageRecord'];
const TAIL_MS = 3_000;
const MAX_LIVE_PAGES = 2;

export const STATUS_TONES: Record<UsageRecord['status'], Tone> = {
  succeeded: 'good',
  failed: 'bad',
  abandoned: 'warn',
  retried: 'neutral',
};

const COLUMNS: readonly Column<UsageRecord>[] = [
  {
    id: 'status',
    header: 'Status',
    width: '4.75rem',
    cell: (record) => (
      <span className="flex items-center gap-2">
        <Dot tone={STATUS_TONES[record.status]} />
        {record.http_status}
        {record.attempts > 1 && <Badge tone="warn">×{record.attempts}</Badge>}
      </span>
    ),
  },
  {
    id: 'model',
    header: 'Model',
    width: 'minmax(0,1.6fr)',
    cell: (record) => (
      <>
        <span className="font-medium">{record.model}</span>
        {record.error_code !== null && <span className="ml-2 text-bad">{record.error_code}</span>}
      </>
    ),
  },
  {
    id: 'provider',
    header: 'Provider',
    from: 900,
    cell: (record) => <span className="text-muted">{record.provider ?? '–'}</span>,
  },
  {
    id: 'operation',
    header: 'Operation',
    width: '7rem',
    from: 1250,
    cell: (record) => (
      <span className="text-muted">
        {record.operation}
        {record.source === 'batch' ? ' · batch' : ''}
      </span>
    ),
  },
  {
    id: 'tokens',
    header: 'Tokens',
    width: '7rem',
    from: 760,
    isNumber: true,
    cell: (record) => `${count(record.prompt_tokens)} → ${count(record.completion_tokens)}`,
  },
  {
    id: 'first',
    header: 'First byte',
    width: '5.5rem',
    from: 1100,
    isNumber: true,
    cell: (record) => milliseconds(record.first_byte_ms),
  },
  {
    id: 'duration',
    header: 'Duration',
    width: '4.75rem',
    isNumber: true,
    cell: (record) => milliseconds(record.duration_ms),
  },
  { id: 'cost', header: 'Cost', width: '5.5rem', from: 560, isNumber: true, cell: (record) => usd(record.cost_usd) },
  {
    id: 'time',
    header: 'Time',
    width: '6.5rem',
    from: 480,
    isNumber: true,
    cell: (record) => (
      <span className="text-muted">
        <Time at={record.created_at} relative />
      </span>
    ),
  },
];

const TEXT_FILTERS = [
  ['request_id', 'Request id'],
  ['model', 'Model'],
  ['provider', 'Provider'],
  ['key_id', 'Key id'],
  ['user', 'End user'],
  ['session_id', 'Session'],
] as const;
const STATUSES = ['succeeded', 'failed', 'abandoned', 'retried'] as const;

export function Requests() {
  const isAdmin = useSession().role !== 'member';
  const [search, change] = useFilters();
  const [open, setOpen] = useState<UsageRecord | null>(null);
  const isLive = search['live'] === 'on';
  const period = usePeriod(search['period'], '30d');
  const status = STATUSES.find((each) => each === search['status']);
  const texts = TEXT_FILTERS.filter(([name]) => isAdmin || name !== 'key_id');
  const filters = Object.fromEntries(
    texts.flatMap(([name]) => (search[name] === undefined ? [] : [[name, search[name].trim()]])),
  );
  const { query, rows: records } = useListPages(
    ['records', isAdmin, period.name, status, filters],
    (place, signal) => {
      const params = {
        query: { ...filters, ...(status !== undefined && { status }), limit: 100, start: period.start, ...place },
      };
      return isAdmin
        ? bodyOf(api.GET('/v1/admin/usage/records', { params, signal }))
        : bodyOf(api.GET('/v1/key/usage/records', { params, signal }));
    },
    { refreshMs: (pages) => (isLive && pages <= MAX_LIVE_PAGES ? TAIL_MS : false) },
  );
  const isFiltered = status !== undefined || Object.keys(filters).length > 0;
  return (
    <>
      <PageHeader title="Requests" about="Every request that reached a provider, live or of a batch.">
        <Button
          icon={Radio}
          aria-pressed={isLive}
          className={isLive ? 'text-good' : ''}
          onClick={() => change({ live: isLive ? undefined : 'on' })}
        >
          {isLive ? 'Following' : 'Follow'}
        </Button>
        <Segmented label="Period" value={period.name} options={PERIODS} onChange={(name) => change({ period: name })} />
      </PageHeader>
      <Card flush>
        <div className="grid grid-cols-2 gap-2 border-b border-line p-3 sm:grid-cols-3 xl:flex">
          <Select
            aria-label="Status"
            className="xl:w-36 xl:shrink-0"
            value={status ?? ''}
            onChange={(event) => change({ status: event.target.value })}
          >
            <option value="">Any status</option>
            {STATUSES.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </Select>
          {texts.map(([name, label], index) => (
            <Input
              key={`${name} ${search[name] === undefined}`}
              data-filter={index === 0 ? true : undefined}
              aria-label={label}
              placeholder={label}
              defaultValue={search[name] ?? ''}
              onKeyDown={(event) => {
                if (event.key === 'Enter') change({ [name]: event.currentTarget.value });
              }}
              onBlur={(event) => {
                if (event.target.value !== (search[name] ?? '')) change({ [name]: event.target.value });
              }}
            />
          ))}
          {isFiltered && (
            <Button
              variant="ghost"
              onClick={() =>
                change({ status: undefined, ...Object.fromEntries(TEXT_FILTERS.map(([name]) => [name, undefined])) })
              }
            >
              Clear
            </Button>
          )}
        </div>
        {query.error !== null ? (
          <div className="p-4">
            <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
          </div>
        ) : query.isPending ? (
          <SkeletonRows />
        ) : records.length === 0 ? (
          <Empty icon={Activity} title={isFiltered ? 'No request meets the filters' : 'No requests in this period'}>
            {isFiltered
              ? 'Clear a filter, or look at a longer period.'
              : 'Requests appear here within a second of their end.'}
          </Empty>
        ) : (
          <DataTable
            label="Requests"
            columns={COLUMNS}
            rows={records}
            keyOf={({ id }) => id}
            onOpen={setOpen}
            openLabel={(record) => `Open request ${record.request_id}`}
            hasMore={query.hasNextPage}
            isLoadingMore={query.isFetchingNextPage}
            onMore={() => void query.fetchNextPage()}
          />
        )}
      </Card>
      {open !== null && <RequestDetails record={open} onClose={() => setOpen(null)} />}
    </>
  );
}
