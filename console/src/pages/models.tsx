import { useState } from 'react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Boxes, FlaskConical } from 'lucide-react';
import { api, bodyOf, type Schemas } from '../api/client';
import { count, duration, milliseconds, perMillion, share } from '../format';
import {
  Badge,
  Button,
  Card,
  Dot,
  Empty,
  ErrorNote,
  Field,
  Input,
  PageHeader,
  Segmented,
  Select,
  SkeletonRows,
  Time,
  type Tone,
} from '../ui/basics';
import { Confirm, Dialog } from '../ui/dialog';
import { useFilters } from '../ui/filters';
import { DataTable, type Column } from '../ui/table';
import { notify, notifyError } from '../ui/toast';

type Model = Schemas['Model'];
type Deployment = Schemas['Deployment'];

const MODEL_COLUMNS: readonly Column<Model>[] = [
  {
    id: 'id',
    header: 'Model',
    width: 'minmax(0,2fr)',
    sort: (model) => model.id,
    cell: (model) => <span className="font-medium">{model.id}</span>,
  },
  {
    id: 'owner',
    header: 'Provider',
    from: 800,
    sort: (model) => model.owned_by,
    cell: (model) => <span className="text-muted">{model.owned_by}</span>,
  },
  {
    id: 'context',
    header: 'Context',
    width: '5.5rem',
    from: 560,
    isNumber: true,
    sort: (model) => model.context_length ?? 0,
    cell: (model) => (model.context_length === undefined ? '–' : count(model.context_length)),
  },
  {
    id: 'output',
    header: 'Output',
    width: '5.5rem',
    from: 900,
    isNumber: true,
    sort: (model) => model.max_output_tokens ?? 0,
    cell: (model) => (model.max_output_tokens === undefined ? '–' : count(model.max_output_tokens)),
  },
  {
    id: 'in',
    header: 'In, $/M',
    width: '5rem',
    isNumber: true,
    sort: (model) => Number(model.pricing?.prompt ?? -1),
    cell: (model) => perMillion(model.pricing?.prompt),
  },
  {
    id: 'out',
    header: 'Out, $/M',
    width: '5rem',
    isNumber: true,
    sort: (model) => Number(model.pricing?.completion ?? -1),
    cell: (model) => perMillion(model.pricing?.completion),
  },
  {
    id: 'input',
    header: 'Takes',
    width: 'minmax(0,1fr)',
    from: 1100,
    cell: (model) => <span className="text-muted">{model.architecture?.input_modalities.join(', ') ?? '–'}</span>,
  },
];

export function Models() {
  const [search, change] = useFilters();
  const tab = search['tab'] === 'deployments' ? 'deployments' : search['tab'] === 'providers' ? 'providers' : 'models';
  return (
    <>
      <PageHeader title="Models and providers" about="What clients may ask for, where it runs, and how that is doing.">
        <Segmented
          label="View"
          value={tab}
          options={[
            ['models', 'Models'],
            ['deployments', 'Deployments'],
            ['providers', 'Providers'],
          ]}
          onChange={(value) => change({ tab: value })}
        />
      </PageHeader>
      {tab === 'models' ? <Catalogue /> : tab === 'deployments' ? <Deployments /> : <Providers />}
    </>
  );
}

function Catalogue() {
  const [search, change] = useFilters();
  const wanted = (search['q'] ?? '').toLowerCase();
  const { data, error, refetch } = useQuery({ queryKey: ['models'], queryFn: () => bodyOf(api.GET('/v1/models')) });
  const models = (data?.data ?? []).filter(({ id, owned_by: owner }) =>
    `${id} ${owner}`.toLowerCase().includes(wanted),
  );
  return (
    <Card flush>
      <div className="flex items-center gap-3 border-b border-line p-3">
        <Input
          data-filter
          type="search"
          aria-label="Filter models"
          placeholder="Filter models"
          className="max-w-64"
          defaultValue={search['q'] ?? ''}
          onChange={(event) => change({ q: event.target.value })}
        />
        <span className="num w-24 shrink-0 text-muted">{data !== undefined && `${models.length} models`}</span>
      </div>
      {error !== null ? (
        <div className="p-4">
          <ErrorNote error={error} onRetry={() => void refetch()} />
        </div>
      ) : data === undefined ? (
        <SkeletonRows />
      ) : models.length === 0 ? (
        <Empty icon={Boxes} title="No model has this name">
          Models come from the providers of gateway.yaml, and from its list of models.
        </Empty>
      ) : (
        <DataTable label="Models" columns={MODEL_COLUMNS} rows={models} keyOf={({ id }) => id} />
      )}
    </Card>
  );
}

function healthOf(each: Deployment): { tone: Tone; text: string } {
  if (each.drain !== null)
    return { tone: 'warn', text: each.in_flight > 0 ? `Drained, ${count(each.in_flight)} in flight` : 'Drained' };
  if (each.breaker === 'open')
    return {
      tone: 'bad',
      text: each.retry_in_ms > 0 ? `Not called for ${duration(each.retry_in_ms / 1_000)}` : 'Not called',
    };
  if (each.breaker === 'half_open') return { tone: 'warn', text: 'Being tried' };
  if (each.out_of_quota_ms > 0) return { tone: 'bad', text: 'Out of quota' };
  if (each.rate_limit_reset_ms > 0) return { tone: 'warn', text: 'Rate limited' };
  if (each.ejected_from.length > 0) return { tone: 'warn', text: 'Set aside' };
  if (each.recent_succeeded + each.recent_failed === 0) return { tone: 'neutral', text: 'Not called yet' };
  return { tone: 'good', text: 'Healthy' };
}

const DEPLOYMENT_COLUMNS: readonly Column<Deployment>[] = [
  {
    id: 'id',
    header: 'Deployment',
    width: 'minmax(0,1.6fr)',
    sort: (each) => each.id,
    cell: (each) => (
      <span className="font-medium" title={each.last_error ?? undefined}>
        {each.id}
      </span>
    ),
  },
  {
    id: 'health',
    header: 'Health',
    width: 'minmax(0,1fr)',
    cell: (each) => {
      const { tone, text } = healthOf(each);
      return (
        <span className="flex items-center gap-2">
          <Dot tone={tone} />
          <span className="truncate">{text}</span>
        </span>
      );
    },
  },
  {
    id: 'models',
    header: 'Models',
    from: 1200,
    cell: (each) => <span className="text-muted">{each.models.join(', ')}</span>,
  },
  {
    id: 'errors',
    header: 'Errors',
    width: '5rem',
    from: 640,
    isNumber: true,
    sort: (each) => each.recent_error_rate ?? -1,
    cell: (each) => (each.recent_error_rate === null ? '–' : share(each.recent_error_rate)),
  },
  {
    id: 'first',
    header: 'First byte',
    width: '5.5rem',
    from: 1440,
    isNumber: true,
    sort: (each) => each.first_byte_ms ?? -1,
    cell: (each) => milliseconds(each.first_byte_ms),
  },
  {
    id: 'call',
    header: 'Call',
    width: '5.5rem',
    from: 1560,
    isNumber: true,
    sort: (each) => each.call_ms ?? -1,
    cell: (each) => milliseconds(each.call_ms),
  },
  {
    id: 'flight',
    header: 'In flight',
    width: '5rem',
    from: 1440,
    isNumber: true,
    sort: (each) => each.in_flight,
    cell: (each) => (each.waiting > 0 ? `${each.in_flight} +${each.waiting}` : each.in_flight),
  },
  {
    id: 'share',
    header: 'Share',
    width: '4.5rem',
    from: 520,
    isNumber: true,
    sort: (each) => each.share,
    cell: (each) => share(each.share),
  },
];

/** The models of a deployment that have no other one in service. */
function lastOf(deployment: Deployment, all: readonly Deployment[]): string[] {
  return deployment.models.filter((model) =>
    all.every(({ id, models, drain }) => id === deployment.id || !models.includes(model) || drain !== null),
  );
}

function useDeploymentChange(onDone: () => void) {
  const client = useQueryClient();
  return async (changed: Deployment): Promise<void> => {
    onDone();
    notify(`${changed.id} is ${changed.drain === null ? 'in service again' : 'drained'}.`);
    await client.invalidateQueries({ queryKey: ['deployments'] });
  };
}

/** Seconds, by what the choice is called. */
const DRAIN_TIMES = [
  ['', 'Until it is re-enabled'],
  ['3600', '1 hour'],
  ['28800', '8 hours'],
  ['86400', '1 day'],
] as const;

interface ChangeProps {
  readonly deployment: Deployment;
  readonly onClose: () => void;
}
function DrainDialog({ deployment, all, onClose }: ChangeProps & { readonly all: readonly Deployment[] }) {
  const [reason, setReason] = useState('');
  const [seconds, setSeconds] = useState('');
  const { id, models, in_flight: inFlight } = deployment;
  const last = lastOf(deployment, all);
  const drain = useMutation({
    mutationFn: () =>
      bodyOf(
        api.POST('/v1/admin/deployments/drain', {
          body: {
            deployment: id,
            ...(reason.trim() !== '' && { reason: reason.trim() }),
            ...(seconds !== '' && { expires_in: Number(seconds) }),
          },
        }),
      ),
    onSuccess: useDeploymentChange(onClose),
  });
  return (
    <Dialog
      title={`Drain ${id}?`}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Keep as it is</Button>
          <Button variant="danger" busy={drain.isPending} onClick={() => drain.mutate()}>
            Drain
          </Button>
        </>
      }
    >
      <div className="space-y-4">
        <p className="text-muted">
          It gets no new request in any process, also after restarts.{' '}
          {inFlight > 0 ? `${count(inFlight)} in flight end as usual.` : 'Requests in flight end as usual.'}{' '}
          {models.length > 0 && `Requests of ${models.join(', ')} go to other deployments, then to fallbacks.`}
        </p>
        {last.length > 0 && (
          <p role="alert" className="text-warn">
            {last.join(', ')} {last.length === 1 ? 'has' : 'have'} no other deployment in service: without a fallback,
            requests are refused with 503 and batches wait.
          </p>
        )}
        <Field label="Reason" hint="For the list and the audit log.">
          {(field, describedBy) => (
            <Input
              id={field}
              aria-describedby={describedBy}
              data-autofocus
              maxLength={200}
              value={reason}
              onChange={(event) => setReason(event.target.value)}
            />
          )}
        </Field>
        <Field label="For how long">
          {(field) => (
            <Select id={field} value={seconds} onChange={(event) => setSeconds(event.target.value)}>
              {DRAIN_TIMES.map(([value, text]) => (
                <option key={value} value={value}>
                  {text}
                </option>
              ))}
            </Select>
          )}
        </Field>
        {drain.error !== null && <ErrorNote error={drain.error} />}
      </div>
    </Dialog>
  );
}

function EnableDialog({ deployment: { id, drain }, onClose }: ChangeProps) {
  const enable = useMutation({
    mutationFn: () => bodyOf(api.POST('/v1/admin/deployments/enable', { body: { deployment: id } })),
    onSuccess: useDeploymentChange(onClose),
    onError: notifyError,
  });
  return (
    <Confirm
      title={`Re-enable ${id}?`}
      action="Re-enable"
      busy={enable.isPending}
      onConfirm={() => enable.mutate()}
      onClose={onClose}
    >
      It gets requests again, in all processes.
      {drain !== null && drain.reason !== null && ` It was drained by ${drain.actor_name}: ${drain.reason}.`}
    </Confirm>
  );
}

function DrainedList({ deployments }: { readonly deployments: readonly Deployment[] }) {
  return (
    <Card title="Drained" className="mt-4">
      <ul className="space-y-2">
        {deployments.map(({ id, drain }) =>
          drain === null ? null : (
            <li key={id} className="break-words">
              <span className="font-medium">{id}</span>{' '}
              <span className="text-muted">
                by {drain.actor_name}, <Time at={drain.created_at} />
                {drain.expires_at !== null && (
                  <>
                    , until <Time at={drain.expires_at} />
                  </>
                )}
              </span>
              {drain.reason !== null && `: ${drain.reason}`}
              {drain.is_stale && (
                <>
                  {' '}
                  <Badge tone="warn">no longer in gateway.yaml</Badge>
                </>
              )}
            </li>
          ),
        )}
      </ul>
    </Card>
  );
}

function Deployments() {
  const [chosen, setChosen] = useState<string>();
  const { data, error, refetch } = useQuery({
    queryKey: ['deployments'],
    queryFn: () => bodyOf(api.GET('/v1/admin/deployments')),
    refetchInterval: 5_000,
  });
  const all = data?.data ?? [];
  const failing = all.filter(({ last_error: message }) => message !== null);
  const drained = all.filter(({ drain }) => drain !== null);
  const deployment = all.find(({ id }) => id === chosen);
  const close = (): void => setChosen(undefined);
  const columns: readonly Column<Deployment>[] = [
    ...DEPLOYMENT_COLUMNS,
    {
      id: 'service',
      header: 'Service',
      width: '5.75rem',
      cell: ({ id, drain }) => (
        <Button changes onClick={() => setChosen(id)} aria-label={drain === null ? `Drain ${id}` : `Re-enable ${id}`}>
          {drain === null ? 'Drain' : 'Re-enable'}
        </Button>
      ),
    },
  ];
  return (
    <>
      <Card flush>
        {error !== null ? (
          <div className="p-4">
            <ErrorNote error={error} onRetry={() => void refetch()} />
          </div>
        ) : data === undefined ? (
          <SkeletonRows rows={4} />
        ) : data.data.length === 0 ? (
          <Empty icon={Boxes} title="No deployments">
            Add a provider to gateway.yaml, or set its variable, such as OPENAI_API_KEY.
          </Empty>
        ) : (
          <DataTable label="Deployments" columns={columns} rows={all} keyOf={({ id }) => id} />
        )}
      </Card>
      {deployment !== undefined &&
        (deployment.drain === null ? (
          <DrainDialog deployment={deployment} all={all} onClose={close} />
        ) : (
          <EnableDialog deployment={deployment} onClose={close} />
        ))}
      {drained.length > 0 && <DrainedList deployments={drained} />}
      {failing.length > 0 && (
        <Card title="Last errors" className="mt-4">
          <ul className="space-y-2">
            {failing.map(({ id, last_error: message }) => (
              <li key={id} className="break-words">
                <span className="font-medium">{id}</span> <span className="text-bad">{message}</span>
              </li>
            ))}
          </ul>
        </Card>
      )}
    </>
  );
}

function Providers() {
  const { data, error, refetch } = useQuery({
    queryKey: ['providers'],
    queryFn: () => bodyOf(api.GET('/v1/admin/providers')),
  });
  if (error !== null) return <ErrorNote error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <SkeletonRows rows={4} />;
  return <ProviderList providers={data.data} />;
}

/** Providers, each with a test against the real one. */
export function ProviderList({ providers }: { readonly providers: readonly Schemas['Provider'][] }) {
  return (
    <ul className="grid gap-3 md:grid-cols-2 xl:grid-cols-3">
      {providers.map((provider) => (
        <li key={provider.name}>
          <ProviderCard provider={provider} />
        </li>
      ))}
    </ul>
  );
}

function ProviderCard({ provider }: { readonly provider: Schemas['Provider'] }) {
  const [hasRun, setRun] = useState(false);
  const test = useMutation({
    mutationFn: () =>
      bodyOf(api.POST('/v1/admin/providers/{name}/test', { params: { path: { name: provider.name } }, body: {} })),
    onSettled: () => setRun(true),
  });
  return (
    <div className="card p-4">
      <div className="flex items-start justify-between gap-3">
        <div className="min-w-0">
          <p className="truncate font-medium">{provider.name}</p>
          <p className="num text-muted">
            {provider.type}, {provider.deployments} {provider.deployments === 1 ? 'deployment' : 'deployments'}
          </p>
        </div>
        {provider.has_key ? <Badge tone="good">key set</Badge> : <Badge>no key</Badge>}
      </div>
      <div className="mt-3 flex min-h-8 items-center justify-between gap-3">
        <p role="status" className="min-w-0 text-sm break-words">
          {test.isPending && <span className="text-muted">Asking the provider</span>}
          {hasRun && test.error !== null && <span className="text-bad">{test.error.message}</span>}
          {test.data?.ok === true && (
            <span className="text-good">
              Works: {milliseconds(test.data.latency_ms)}
              {test.data.model_count !== null && `, ${test.data.model_count} models`}
            </span>
          )}
          {test.data?.ok === false && <span className="text-bad">{test.data.error?.message ?? 'It failed.'}</span>}
        </p>
        <Button
          changes
          icon={FlaskConical}
          busy={test.isPending}
          onClick={() => test.mutate()}
          aria-label={`Test ${provider.name}`}
        >
          Test
        </Button>
      </div>
    </div>
  );
}
