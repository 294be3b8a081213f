import { useMemo, useState } from 'react';
import { useQuery } from '@tanstack/react-query';
import { FileCode2 } from 'lucide-react';
import { api, bodyOf, type Schemas } from '../api/client';
import { useCanChange } from '../api/session';
import { Badge, Card, CopyButton, Empty, ErrorNote, Input, PageHeader, Segmented, Skeleton, Time } from '../ui/basics';
import { useFilters } from '../ui/filters';
import { ConfigurationEditor } from './configuration-editor';
import { ConfigurationHistory } from './configuration-history';

const LINE = /^(\s*(?:- )*)([^\s#'"[\]{},&*!|>%@`-][^:#]*:)?(.*)$/;

/** gateway.yaml in force, and which settings differ from their defaults; where that is allowed, its editor and history. */
export function Configuration() {
  const [search, change] = useFilters();
  const canChange = useCanChange();
  const { data, error, refetch } = useQuery({
    queryKey: ['configuration'],
    queryFn: () => bodyOf(api.GET('/v1/admin/configuration')),
  });
  const isEditable = data?.editable === true && canChange;
  const asked = search['tab'];
  const tab = isEditable && (asked === 'edit' || asked === 'history') ? asked : 'in-force';
  return (
    <>
      <PageHeader
        title="Configuration"
        about="What the process that responds uses now. It is changed in gateway.yaml: models, providers and upstream settings at once, the rest at the next start."
      >
        {data !== undefined && (
          <>
            {!isEditable && <Badge>read-only</Badge>}
            <span className="num text-sm text-muted">
              {data.reloaded_at === null ? (
                'As of the start'
              ) : (
                <>
                  Reloaded <Time at={data.reloaded_at} relative />
                </>
              )}
              , hash <span className="font-mono text-xs">{data.hash}</span>
            </span>
          </>
        )}
      </PageHeader>
      {error !== null ? (
        <ErrorNote error={error} onRetry={() => void refetch()} />
      ) : data === undefined ? (
        <Skeleton className="h-96 w-full" />
      ) : (
        <>
          {isEditable ? (
            <div className="mb-4">
              <Segmented
                label="Part of the page"
                value={tab}
                options={[
                  ['in-force', 'In force'],
                  ['edit', 'Edit'],
                  ['history', 'History'],
                ]}
                onChange={(value) => change({ tab: value === 'in-force' ? undefined : value })}
              />
            </div>
          ) : (
            data.read_only_because !== null && <p className="mb-4 text-sm text-muted">{data.read_only_because}</p>
          )}
          {tab === 'edit' ? (
            <ConfigurationEditor />
          ) : tab === 'history' ? (
            <ConfigurationHistory />
          ) : (
            <InForce data={data} />
          )}
        </>
      )}
    </>
  );
}

function InForce({ data }: { readonly data: Schemas['Configuration'] }) {
  const [text, setText] = useState('');
  const wanted = text.trim().toLowerCase();
  const settings = data.settings.filter(({ name, value, from }) =>
    `${name} ${value} ${from}`.toLowerCase().includes(wanted),
  );
  return (
    <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
      <Card
        title="gateway.yaml"
        flush
        aside={data.yaml === '' ? undefined : <CopyButton text={data.yaml} label="Copy the configuration" />}
      >
        {data.yaml === '' ? (
          <Empty icon={FileCode2} title="There is no gateway.yaml">
            All settings come from the environment, or are at their defaults.
          </Empty>
        ) : (
          <Yaml text={data.yaml} />
        )}
      </Card>
      <Card title="Not at their defaults" flush>
        <div className="border-y border-line p-3">
          <Input
            data-filter
            type="search"
            aria-label="Filter settings"
            placeholder="Filter settings"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
        {settings.length === 0 ? (
          <p className="px-4 py-6 text-center text-muted">
            {wanted === '' ? 'Every setting is at its default.' : 'No setting contains this.'}
          </p>
        ) : (
          <ul className="divide-y divide-line">
            {settings.map(({ name, value, from }) => (
              <li key={name} className="px-4 py-2.5">
                <p className="flex flex-wrap items-baseline justify-between gap-x-4">
                  <span className="font-mono text-xs font-medium break-all">{name}</span>
                  <span className="text-xs text-muted">{from}</span>
                </p>
                <p className="num text-sm break-words text-muted">{value === 'set' ? <Badge>set</Badge> : value}</p>
              </li>
            ))}
          </ul>
        )}
      </Card>
    </div>
  );
}

/** YAML with the numbers of its lines and its keys marked. Only what is hidden looks different beside them. */
function Yaml({ text }: { readonly text: string }) {
  const lines = useMemo(() => text.replace(/\n$/, '').split('\n'), [text]);
  return (
    <pre
      tabIndex={0}
      aria-label="gateway.yaml"
      className="max-h-[min(44rem,75vh)] overflow-auto border-t border-line bg-bg py-3 font-mono text-xs leading-5"
    >
      {lines.map((line, index) => {
        const [, indent = '', key = '', value = line] = LINE.exec(line) ?? [];
        return (
          <span key={index} className="block px-4 hover:bg-raised">
            <span aria-hidden className="mr-4 inline-block w-7 text-right text-muted select-none">
              {index + 1}
            </span>
            {indent}
            <span className="font-medium text-accent-strong">{key}</span>
            <span className={value.includes('<hidden>') ? 'text-muted italic' : ''}>{value}</span>
            {'\n'}
          </span>
        );
      })}
    </pre>
  );
}
