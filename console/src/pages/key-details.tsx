import { useMemo, useState } from 'react';
import { Link } from '@tanstack/react-router';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Pencil, RotateCw, Trash2 } from 'lucide-react';
import { api, bodyOf, type Schemas } from '../api/client';
import { readUsage, totalOf, type UsageRow } from '../api/usage';
import { count, usd } from '../format';
import { Badge, Button, Code, CopyButton, ErrorNote, Facts, Field, Input, Select, Skeleton, Time } from '../ui/basics';
import { BudgetBar, limitsText } from '../ui/budget';
import { ChartSkeleton, TimeChart } from '../ui/chart';
import { Confirm, Dialog } from '../ui/dialog';
import { bucketsOf, usePeriod, type Period } from '../ui/filters';
import { RequestLogFields, requestLogOf, type RequestLogText, requestLogText } from '../ui/request-log-fields';
import { SpendingFields, spendingOf, spendingText } from '../ui/spending-fields';
import { notify, notifyError } from '../ui/toast';
import { modelsOf } from './key-create';
import { stateOf } from './keys';

type Key = Schemas['KeyWithUsage'];

export function KeyDetails({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const [mode, setMode] = useState<'read' | 'edit' | 'rotate' | 'revoke'>('read');
  const {
    data: key,
    error,
    refetch,
  } = useQuery({
    queryKey: ['key', id],
    queryFn: () => bodyOf(api.GET('/v1/admin/keys/{id}', { params: { path: { id } } })),
  });
  const changed = async (): Promise<void> => {
    await Promise.all([queries.invalidateQueries({ queryKey: ['keys'] }), refetch()]);
  };
  const revoke = useMutation({
    mutationFn: () => bodyOf(api.DELETE('/v1/admin/keys/{id}', { params: { path: { id } } })),
    onSuccess: async () => {
      notify('The key is revoked.');
      setMode('read');
      await changed();
    },
    onError: notifyError,
  });
  const reset = useMutation({
    mutationFn: () => bodyOf(api.POST('/v1/admin/keys/{id}/budget/reset', { params: { path: { id } }, body: {} })),
    onSuccess: async () => {
      notify('The budget begins anew.');
      await changed();
    },
    onError: notifyError,
  });
  if (key === undefined) {
    return (
      <Dialog kind="side" title="Key" onClose={onClose}>
        {error === null ? (
          <Skeleton className="h-60 w-full" />
        ) : (
          <ErrorNote error={error} onRetry={() => void refetch()} />
        )}
      </Dialog>
    );
  }
  const isActive = stateOf(key) === 'active';
  return (
    <>
      <Dialog
        kind="side"
        title={key.name}
        about={
          <span className="font-mono text-xs">
            {key.id} <CopyButton text={key.id} label="Copy the id" />
          </span>
        }
        onClose={onClose}
        footer={
          isActive && mode === 'read' ? (
            <>
              <Button changes icon={Pencil} onClick={() => setMode('edit')}>
                Edit
              </Button>
              <Button changes icon={RotateCw} onClick={() => setMode('rotate')}>
                Rotate
              </Button>
              <Button changes icon={Trash2} variant="danger" onClick={() => setMode('revoke')}>
                Revoke
              </Button>
            </>
          ) : undefined
        }
      >
        {mode === 'edit' ? (
          <EditKey
            value={key}
            onDone={async () => {
              setMode('read');
              await changed();
            }}
            onCancel={() => setMode('read')}
          />
        ) : mode === 'rotate' ? (
          <RotateKey id={id} onDone={() => void changed()} onCancel={() => setMode('read')} />
        ) : (
          <div className="space-y-6">
            <section>
              <div className="mb-2 flex items-center justify-between">
                <h3>Budget</h3>
                {key.budget !== null && isActive && (
                  <Button changes variant="ghost" busy={reset.isPending} onClick={() => reset.mutate()}>
                    Begin anew
                  </Button>
                )}
              </div>
              <BudgetBar budget={key.budget} usage={key.budget_usage} />
            </section>
            <KeyUsage keyId={id} />
            <section>
              <h3 className="mb-2">Rights</h3>
              <Facts
                rows={[
                  [
                    'State',
                    <Badge key="state" tone={isActive ? 'good' : 'bad'}>
                      {stateOf(key)}
                    </Badge>,
                  ],
                  ['Scopes', key.scopes.join(', ')],
                  ['Models', key.allowed_models === null ? 'Every model' : key.allowed_models.join(', ')],
                  ['Limits', limitsText(key.limits)],
                  ['Fallbacks', key.fallbacks],
                  ['Group', key.group_id ?? 'None'],
                  ['Owner', key.owner ?? 'Nobody'],
                  ['Stored prompts', key.request_log === null ? 'No' : `For ${key.request_log.days} days`],
                  ['Works until', key.expires_at === null ? 'No end' : <Time key="end" at={key.expires_at} />],
                  ['Created', <Time key="created" at={key.created_at} />],
                  ['Created by', key.created_by],
                  ...(key.previous_key_expires_at === null
                    ? []
                    : [['Old secret works until', <Time key="old" at={key.previous_key_expires_at} />] as const]),
                ]}
              />
            </section>
            <Link to="/requests" search={{ key_id: id }} className="inline-block text-accent hover:underline">
              Requests of this key
            </Link>
          </div>
        )}
      </Dialog>
      {mode === 'revoke' && (
        <Confirm
          title={`Revoke ${key.name}?`}
          action="Revoke the key"
          busy={revoke.isPending}
          onConfirm={() => revoke.mutate()}
          onClose={() => setMode('read')}
        >
          Clients that use it are refused at once, their requests in flight and the keys that it created end with it.
          This cannot be undone.
        </Confirm>
      )}
    </>
  );
}

function KeyUsage({ keyId }: { readonly keyId: string }) {
  const period = usePeriod('30d');
  const { start, end, interval } = period;
  const { data, error } = useQuery({
    queryKey: ['usage', 'key', keyId, start],
    queryFn: ({ signal }) => readUsage({ start, end, interval, key_id: keyId }, { signal }),
  });
  if (error !== null) return <ErrorNote error={error} />;
  return <SpendChart period={period} rows={data} />;
}

const SPEND_CHART_PIXELS = 140;
const NO_ROWS: readonly UsageRow[] = [];

interface SpendChartProps {
  readonly period: Period;
  /** Undefined until they are there. */
  readonly rows: readonly UsageRow[] | undefined;
}
/** Spend of a period, with its sums. */
export function SpendChart({ period, rows: known }: SpendChartProps) {
  const rows = known ?? NO_ROWS;
  const total = totalOf(rows);
  const chart = useMemo(() => {
    const times = bucketsOf(period);
    const byTime = new Map(rows.map((row) => [row.bucket, row.cost_usd]));
    const values = times.map((at) => byTime.get(at) ?? 0);
    return { times, series: [{ label: 'Spend', values, colour: 1 as const }] };
  }, [period, rows]);
  return (
    <section>
      <h3 className="mb-2">Last 30 days</h3>
      <p className="num mb-2 h-[1.375rem] truncate text-muted">
        {known !== undefined && `${count(total.requests)} requests, ${count(total.tokens)} tokens, ${usd(total.cost)}`}
      </p>
      {known === undefined ? (
        <ChartSkeleton height={SPEND_CHART_PIXELS} />
      ) : (
        <TimeChart
          label="Spend over 30 days"
          kind="bars"
          height={SPEND_CHART_PIXELS}
          times={chart.times}
          series={chart.series}
          format={usd}
        />
      )}
    </section>
  );
}

interface EditKeyProps {
  readonly value: Key;
  readonly onDone: () => Promise<void>;
  readonly onCancel: () => void;
}
function EditKey({ value, onDone, onCancel }: EditKeyProps) {
  const [name, setName] = useState(value.name);
  const [models, setModels] = useState(value.allowed_models?.join(', ') ?? '');
  const [owner, setOwner] = useState(value.owner ?? '');
  const [spending, setSpending] = useState(spendingText(value.limits, value.budget));
  /** Undefined until it is changed: it is refused where nothing can be encrypted any more, which other changes need not be. */
  const [requestLog, setRequestLog] = useState<RequestLogText>();
  const save = useMutation({
    mutationFn: () =>
      bodyOf(
        api.PATCH('/v1/admin/keys/{id}', {
          params: { path: { id: value.id } },
          body: {
            name,
            allowed_models: modelsOf(models),
            owner: owner.trim() === '' ? null : owner,
            ...spendingOf(spending),
            ...(requestLog !== undefined && { request_log: requestLogOf(requestLog) }),
          },
        }),
      ),
    onSuccess: async () => {
      notify('The key is changed.');
      await onDone();
    },
  });
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Field label="Name">
        {(id) => <Input id={id} required value={name} onChange={(event) => setName(event.target.value)} />}
      </Field>
      <Field label="Models" hint="Empty is every model.">
        {(id, describedBy) => (
          <Input
            id={id}
            aria-describedby={describedBy}
            placeholder="Every model"
            value={models}
            onChange={(event) => setModels(event.target.value)}
          />
        )}
      </Field>
      <Field label="Owner" hint="Who signs in with this e-mail address sees the key.">
        {(id, describedBy) => (
          <Input
            id={id}
            aria-describedby={describedBy}
            maxLength={200}
            placeholder="Nobody"
            value={owner}
            onChange={(event) => setOwner(event.target.value)}
          />
        )}
      </Field>
      <SpendingFields value={spending} onChange={setSpending} />
      <RequestLogFields value={requestLog ?? requestLogText(value.request_log)} onChange={setRequestLog} />
      {save.error !== null && <ErrorNote error={save.error} />}
      <div className="flex gap-2">
        <Button type="submit" variant="primary" busy={save.isPending}>
          Save
        </Button>
        <Button onClick={onCancel}>Cancel</Button>
      </div>
    </form>
  );
}

function RotateKey({
  id,
  onDone,
  onCancel,
}: {
  readonly id: string;
  readonly onDone: () => void;
  readonly onCancel: () => void;
}) {
  const [overlap, setOverlap] = useState('86400');
  const rotate = useMutation({
    mutationFn: () =>
      bodyOf(
        api.POST('/v1/admin/keys/{id}/rotate', {
          params: { path: { id } },
          body: { overlap_seconds: Number(overlap) },
        }),
      ),
    onSuccess: onDone,
  });
  if (rotate.data !== undefined) {
    return (
      <div className="space-y-3">
        <h3>Copy the new secret now</h3>
        <p className="text-muted">It cannot be shown again.</p>
        <Code label="New secret" text={rotate.data.key} />
        <Button variant="primary" onClick={onCancel}>
          I have copied it
        </Button>
      </div>
    );
  }
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        rotate.mutate();
      }}
    >
      <p className="text-muted">The key gets a new secret under the same id. Its limits, budget and usage stay.</p>
      <Field label="The old secret works for">
        {(fieldId) => (
          <Select id={fieldId} className="w-56" value={overlap} onChange={(event) => setOverlap(event.target.value)}>
            <option value="0">No longer</option>
            <option value="3600">An hour</option>
            <option value="86400">A day</option>
            <option value="604800">A week</option>
          </Select>
        )}
      </Field>
      {rotate.error !== null && <ErrorNote error={rotate.error} />}
      <div className="flex gap-2">
        <Button type="submit" variant="primary" busy={rotate.isPending}>
          Rotate the key
        </Button>
        <Button onClick={onCancel}>Cancel</Button>
      </div>
    </form>
  );
}
