import { useState } from 'react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Download, Layers, Pause, Play, RotateCcw, Upload, X } from 'lucide-react';
import { api, bodyOf, download, type Schemas } from '../api/client';
import { useListPages } from '../api/list-pages';
import { useSession } from '../api/session';
import { duration, exact, share, usd } from '../format';
import {
  Badge,
  Button,
  Card,
  Empty,
  ErrorNote,
  Facts,
  Meter,
  PageHeader,
  Segmented,
  Select,
  Skeleton,
  SkeletonRows,
  Time,
  type Tone,
} from '../ui/basics';
import { Confirm, Dialog } from '../ui/dialog';
import { useFilters } from '../ui/filters';
import { DataTable, type Column } from '../ui/table';
import { notify, notifyError } from '../ui/toast';
import { UploadBatch } from './batch-upload';
import { readFailedLines } from './failed-lines';

type Batch = Schemas['AdminBatch'];
const REFRESH_MS = 3_000;

const TONES: Partial<Record<Batch['status'], Tone>> = {
  completed: 'good',
  failed: 'bad',
  expired: 'bad',
  cancelled: 'neutral',
};
const isEnded = ({ completed_at: at }: Batch): boolean => at !== null;
const doneOf = (batch: Batch): number =>
  batch.completed_count + batch.failed_count + batch.cancelled_count + batch.expired_count;

/** Time until the end at the present rate. */
function etaOf(batch: Batch): string {
  if (isEnded(batch)) return '–';
  if (batch.paused_at !== null) return 'Paused';
  const rate = batch.tasks_per_second ?? 0;
  return rate > 0 ? duration((batch.task_count - doneOf(batch)) / rate) : 'Waiting';
}

function Progress({ batch }: { readonly batch: Batch }) {
  const done = doneOf(batch);
  return (
    <div>
      <div className="mb-1 flex justify-between gap-2 text-xs">
        <span>
          {exact(done)} <span className="text-muted">of {exact(batch.task_count)}</span>
        </span>
        {batch.failed_count > 0 && <span className="text-bad">{exact(batch.failed_count)} failed</span>}
      </div>
      <Meter
        value={done}
        max={batch.task_count}
        label={`${share(done / Math.max(1, batch.task_count))} done`}
        tone={
          isEnded(batch) && batch.status === 'completed' ? (batch.failed_count === done ? 'bad' : 'good') : 'accent'
        }
      />
    </div>
  );
}

const COLUMNS: readonly Column<Batch>[] = [
  {
    id: 'id',
    header: 'Batch',
    width: 'minmax(0,1.2fr)',
    cell: (batch) => <span className="font-mono text-xs">{batch.job_id}</span>,
  },
  {
    id: 'status',
    header: 'Status',
    width: '7rem',
    from: 620,
    cell: (batch) => (
      <Badge tone={batch.paused_at === null ? (TONES[batch.status] ?? 'accent') : 'warn'}>
        {batch.paused_at === null || isEnded(batch) ? batch.status.replace('_', ' ') : 'paused'}
      </Badge>
    ),
  },
  { id: 'progress', header: 'Progress', width: 'minmax(0,1.4fr)', cell: (batch) => <Progress batch={batch} /> },
  { id: 'model', header: 'Model', from: 1000, cell: (batch) => batch.model },
  {
    id: 'rate',
    header: 'Rate',
    width: '6rem',
    from: 900,
    isNumber: true,
    cell: (batch) => (batch.tasks_per_second === null ? '–' : `${batch.tasks_per_second.toFixed(1)} /s`),
  },
  { id: 'eta', header: 'Left', width: '6.5rem', from: 760, isNumber: true, cell: etaOf },
  {
    id: 'time',
    header: 'Submitted',
    width: '7rem',
    from: 700,
    isNumber: true,
    cell: (batch) => (
      <span className="text-muted">
        <Time at={batch.submitted_at} relative />
      </span>
    ),
  },
];

export function Batches() {
  const [search, change] = useFilters();
  const [open, setOpen] = useState<string | null>(null);
  const [isUploading, setUploading] = useState(false);
  const state = search['state'] === 'paused' ? 'paused' : 'all';
  const { query, rows: batches } = useListPages(
    ['batches', state],
    (place) =>
      bodyOf(
        api.GET('/v1/admin/batches', {
          params: { query: { limit: 50, ...(state === 'paused' && { paused: 'true' as const }), ...place } },
        }),
      ),
    { refreshMs: () => REFRESH_MS },
  );
  return (
    <>
      <PageHeader title="Batches" about="Jobs of all keys, with what is left of them.">
        <Segmented
          label="State"
          value={state}
          options={[
            ['all', 'All'],
            ['paused', 'Paused'],
          ]}
          onChange={(value) => change({ state: value === 'all' ? undefined : value })}
        />
        <Button changes variant="primary" icon={Upload} onClick={() => setUploading(true)}>
          Upload a batch
        </Button>
      </PageHeader>
      <Card flush>
        {query.error !== null ? (
          <div className="p-4">
            <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
          </div>
        ) : query.isPending ? (
          <SkeletonRows />
        ) : batches.length === 0 ? (
          <Empty icon={Layers} title={state === 'paused' ? 'No batch is paused' : 'No batches yet'}>
            Upload a file with one request a line, or submit one with the batch API of OpenAI’s or Anthropic’s clients.
          </Empty>
        ) : (
          <DataTable
            label="Batches"
            columns={COLUMNS}
            rows={batches}
            keyOf={({ job_id: id }) => id}
            onOpen={({ job_id: id }) => setOpen(id)}
            openLabel={({ job_id: id }) => `Open batch ${id}`}
            hasMore={query.hasNextPage}
            isLoadingMore={query.isFetchingNextPage}
            onMore={() => void query.fetchNextPage()}
          />
        )}
      </Card>
      {open !== null && <BatchDetails key={open} id={open} onOpen={setOpen} onClose={() => setOpen(null)} />}
      {isUploading && (
        <UploadBatch
          onClose={() => setUploading(false)}
          onSubmitted={(id) => {
            setUploading(false);
            setOpen(id);
          }}
        />
      )}
    </>
  );
}

interface BatchDetailsProps {
  readonly id: string;
  readonly onOpen: (id: string) => void;
  readonly onClose: () => void;
}
function BatchDetails({ id, onOpen, onClose }: BatchDetailsProps) {
  const session = useSession();
  const queries = useQueryClient();
  const [isCancelling, setCancelling] = useState(false);
  const params = { path: { job_id: id } };
  const {
    data: batch,
    error,
    refetch,
  } = useQuery({
    queryKey: ['batch', id],
    queryFn: () => bodyOf(api.GET('/v1/admin/batches/{job_id}', { params })),
    refetchInterval: REFRESH_MS,
  });
  const act = useMutation({
    mutationFn: async (action: 'cancel' | 'pause' | 'resume') => {
      if (action === 'cancel') await api.POST('/v1/admin/batches/{job_id}/cancel', { params });
      else if (action === 'pause') await api.POST('/v1/admin/batches/{job_id}/pause', { params });
      else await api.POST('/v1/admin/batches/{job_id}/resume', { params });
    },
    onSuccess: async (_result, action) => {
      notify(
        { cancel: 'The batch is being cancelled.', pause: 'The batch is paused.', resume: 'The batch goes on.' }[
          action
        ],
      );
      setCancelling(false);
      await Promise.all([refetch(), queries.invalidateQueries({ queryKey: ['batches'] })]);
    },
    onError: notifyError,
  });
  const prioritise = useMutation({
    mutationFn: (priority: Batch['priority']) =>
      bodyOf(api.PATCH('/v1/admin/batches/{job_id}', { params, body: { priority } })),
    onSuccess: () => refetch(),
    onError: notifyError,
  });
  const retry = useMutation({
    mutationFn: () => bodyOf(api.POST('/v1/batch/{job_id}/retry', { params, body: {} })),
    onSuccess: async ({ job_id: next }) => {
      notify('The failed lines run again, as a new batch.');
      await queries.invalidateQueries({ queryKey: ['batches'] });
      onOpen(next);
    },
    onError: notifyError,
  });
  const failed = useQuery({
    queryKey: ['batch', id, 'failed', batch?.failed_count],
    enabled: batch !== undefined && batch.failed_count > 0,
    queryFn: ({ signal }) => readFailedLines(id, signal),
  });
  if (batch === undefined) {
    return (
      <Dialog kind="side" title="Batch" onClose={onClose}>
        {error === null ? <Skeleton className="h-60 w-full" /> : <ErrorNote error={error} />}
      </Dialog>
    );
  }
  return (
    <>
      <Dialog
        kind="side"
        title={id}
        about={batch.model}
        onClose={onClose}
        footer={
          isEnded(batch) ? (
            <Button
              icon={Download}
              onClick={() =>
                void download(`/v1/admin/batches/${id}/results`, `${id}.jsonl`, 'application/x-ndjson').catch(
                  notifyError,
                )
              }
            >
              Download the results
            </Button>
          ) : (
            <>
              {batch.paused_at === null ? (
                <Button changes icon={Pause} busy={act.isPending} onClick={() => act.mutate('pause')}>
                  Pause
                </Button>
              ) : (
                <Button changes icon={Play} busy={act.isPending} onClick={() => act.mutate('resume')}>
                  Resume
                </Button>
              )}
              <Button changes icon={X} variant="danger" onClick={() => setCancelling(true)}>
                Cancel
              </Button>
            </>
          )
        }
      >
        <div className="space-y-6">
          <Progress batch={batch} />
          <Facts
            rows={[
              [
                'Status',
                <Badge key="status" tone={TONES[batch.status] ?? 'accent'}>
                  {batch.status}
                </Badge>,
              ],
              ['Left', etaOf(batch)],
              ['Rate', batch.tasks_per_second === null ? '–' : `${batch.tasks_per_second.toFixed(1)} tasks a second`],
              ['Succeeded', exact(batch.completed_count)],
              ['Failed', exact(batch.failed_count)],
              ['Cancelled', exact(batch.cancelled_count)],
              ['Expired', exact(batch.expired_count)],
              ['Endpoint', batch.endpoint],
              ['Cost', usd(batch.cost)],
              ['Saved', batch.saved === 0 ? '–' : `${usd(batch.saved)} of ${usd(batch.list_cost)}`],
              ['Key', batch.key_id],
              ['Submitted', <Time key="submitted" at={batch.submitted_at} />],
              ['Ended', batch.completed_at === null ? '–' : <Time key="ended" at={batch.completed_at} />],
              ['Must end by', <Time key="expires" at={batch.expires_at} />],
            ]}
          />
          {!isEnded(batch) && (
            <label className="flex items-center justify-between gap-4">
              Priority
              <Select
                className="w-40"
                value={batch.priority}
                onChange={(event) => prioritise.mutate(event.target.value as Batch['priority'])}
              >
                {['low', 'normal', 'high'].map((each) => (
                  <option key={each}>{each}</option>
                ))}
              </Select>
            </label>
          )}
          {batch.error !== null && <ErrorNote error={new Error(batch.error)} />}
          {batch.failed_count > 0 && (
            <section>
              <div className="mb-2 flex flex-wrap items-center justify-between gap-2">
                <h3>Failed lines</h3>
                {isEnded(batch) && batch.key_id === session.key_id && (
                  <Button changes icon={RotateCcw} busy={retry.isPending} onClick={() => retry.mutate()}>
                    Run them again
                  </Button>
                )}
              </div>
              {isEnded(batch) && batch.key_id !== session.key_id && (
                <p className="mb-2 text-sm text-muted">
                  The key that submitted the batch can run them again: POST /v1/batch/{id}/retry.
                </p>
              )}
              {failed.error !== null ? (
                <ErrorNote error={failed.error} />
              ) : failed.data === undefined ? (
                <Skeleton className="h-24 w-full" />
              ) : (
                <ul className="divide-y divide-line rounded-lg border border-line">
                  {failed.data.map((line) => (
                    <li key={line.index} className="px-3 py-2">
                      <p className="flex justify-between gap-3">
                        <span className="truncate font-mono text-xs">{line.custom_id}</span>
                        <span className="num shrink-0 text-xs text-muted">{line.attempts} attempts</span>
                      </p>
                      <p className="break-words text-bad">{line.error?.message ?? 'no message'}</p>
                    </li>
                  ))}
                </ul>
              )}
            </section>
          )}
        </div>
      </Dialog>
      {isCancelling && (
        <Confirm
          title="Cancel this batch?"
          action="Cancel the batch"
          busy={act.isPending}
          onConfirm={() => act.mutate('cancel')}
          onClose={() => setCancelling(false)}
        >
          Tasks that have not begun are not run. Results so far stay.
        </Confirm>
      )}
    </>
  );
}
