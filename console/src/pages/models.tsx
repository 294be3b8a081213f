import { useState } from 'react';
import { useMutation, useQuery } from '@tanstack/react-query';
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
  Input,
  PageHeader,
  Segmented,
  SkeletonRows,
  type Tone,
} from '../ui/basics';
import { useFilters } from '../ui/filters';
import { DataTable, type Column } from '../ui/table';

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
    from: 1000,
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
    from: 800,
    isNumber: true,
    sort: (each) => each.first_byte_ms ?? -1,
    cell: (each) => milliseconds(each.first_byte_ms),
  },
  {
    id: 'call',
    header: 'Call',
    width: '5.5rem',
    from: 900,
    isNumber: true,
    sort: (each) => each.call_ms ?? -1,
    cell: (each) => milliseconds(each.call_ms),
  },
  {
    id: 'flight',
    header: 'In flight',
    width: '5rem',
    from: 720,
    isNumber: true,
    sort: (each) => each.in_flight,
    cell: (each) => (each.waiting > 0 ? `${each.in_flight} +${each.waiting}` : each.in_flight),
  },
  {
    id: 'share',
    header: 'Share',
    width: '4.5rem',
    isNumber: true,
    sort: (each) => each.share,
    cell: (each) => share(each.share),
  },
];

function Deployments() {
  const { data, error, refetch } = useQuery({
    queryKey: ['deployments'],
    queryFn: () => bodyOf(api.GET('/v1/admin/deployments')),
    refetchInterval: 5_000,
  });
  const failing = (data?.data ?? []).filter(({ last_error: message }) => message !== null);
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
          <DataTable label="Deployments" columns={DEPLOYMENT_COLUMNS} rows={data.data} keyOf={({ id }) => id} />
        )}
      </Card>
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
