import { useMemo, useState } from 'react';
import { Link } from '@tanstack/react-router';
import { useQuery } from '@tanstack/react-query';
import { Activity } from 'lucide-react';
import { readSession, sessionTree, type SessionCall } from '../api/session-records';
import { useSession } from '../api/session';
import { readUsage, totalOf, type UsageRow } from '../api/usage';
import { count, exact, milliseconds, share, usd } from '../format';
import { Badge, Card, CopyButton, Dot, Empty, ErrorNote, PageHeader, SkeletonRows, Time } from '../ui/basics';
import { Figures, type Figure } from '../ui/figures';
import { useFilters } from '../ui/filters';
import { RequestDetails } from './request-details';
import { STATUS_TONES, type UsageRecord } from './requests';

/** The requests of one session of a client, as a tree: those of the session, and those of each agent within it. */
export function SessionPage() {
  const isOwn = useSession().role === 'member';
  const [search] = useFilters();
  const [open, setOpen] = useState<UsageRecord | null>(null);
  const id = search['id'] ?? '';
  const session = useQuery({
    queryKey: ['session-records', isOwn, id],
    enabled: id !== '',
    queryFn: () => readSession(id, isOwn),
  });
  const sums = useQuery({
    queryKey: ['session-sums', isOwn, id],
    enabled: id !== '',
    queryFn: ({ signal }) =>
      readUsage({ start: 0, interval: 'none', group_by: 'agent', session_id: id }, { isOwn, signal }),
  });
  const tree = useMemo(() => sessionTree(session.data?.records ?? []), [session.data]);
  const error = session.error ?? sums.error;
  return (
    <>
      <PageHeader title="Session" about="The requests of one session of a client, in the order of time.">
        <span className="min-w-0 font-mono text-xs break-all">
          {id} <CopyButton text={id} label="Copy the session id" />
        </span>
        <Link to="/requests" search={{ session_id: id }} className="text-accent hover:underline">
          As a list
        </Link>
      </PageHeader>
      {error !== null ? (
        <ErrorNote
          error={error}
          onRetry={() => {
            void session.refetch();
            void sums.refetch();
          }}
        />
      ) : (
        <>
          <Figures
            figures={figuresOf(sums.data ?? [], session.data?.records ?? [])}
            isPending={sums.isPending || session.isPending}
          />
          <Card flush>
            {session.data === undefined || sums.data === undefined ? (
              <SkeletonRows />
            ) : tree.length === 0 ? (
              <Empty icon={Activity} title="No request is of this session">
                Clients name their session in the header x-session-id. See the documentation of usage for others.
              </Empty>
            ) : (
              <ul aria-label="Requests of the session" className="divide-y divide-line">
                {tree.map((node) =>
                  'record' in node ? (
                    <Call key={node.record.id} call={node} onOpen={setOpen} />
                  ) : (
                    <li key={node.agentId}>
                      <Agent
                        id={node.agentId}
                        calls={node.calls}
                        sums={sums.data.find(({ group }) => group === node.agentId)}
                        onOpen={setOpen}
                      />
                    </li>
                  ),
                )}
              </ul>
            )}
            {session.data?.isCut === true && (
              <p className="border-t border-line p-3 text-muted">
                These are the latest {exact(session.data.records.length)} records. The sums above are of the whole
                session.
              </p>
            )}
          </Card>
        </>
      )}
      {open !== null && <RequestDetails record={open} onClose={() => setOpen(null)} />}
    </>
  );
}

function figuresOf(rows: readonly UsageRow[], records: readonly UsageRecord[]): readonly Figure[] {
  const total = totalOf(rows);
  const cached = rows.reduce((sum, row) => sum + row.cached_tokens, 0);
  const begin = records[0]?.created_at ?? 0;
  const end = Math.max(begin, ...records.map(({ created_at: at, duration_ms: length }) => at + length / 1_000));
  const agents = rows.filter(({ group }) => group !== null).length;
  return [
    { name: 'Requests', value: exact(total.requests), note: `${exact(total.failed)} failed` },
    { name: 'Cost', value: usd(total.cost), note: 'of all attempts' },
    { name: 'Tokens', value: count(total.tokens), note: `${count(total.prompt)} in, ${count(total.completion)} out` },
    {
      name: 'From the cache',
      value: total.prompt === 0 ? '–' : share(cached / total.prompt),
      note: `${count(cached)} prompt tokens`,
    },
    {
      name: 'Duration',
      value: milliseconds((end - begin) * 1_000),
      note: agents === 0 ? 'one agent' : `${agents} ${agents === 1 ? 'further agent' : 'further agents'}`,
    },
  ];
}

interface AgentProps {
  readonly id: string;
  readonly calls: readonly SessionCall[];
  readonly sums: UsageRow | undefined;
  readonly onOpen: (record: UsageRecord) => void;
}
function Agent({ id, calls, sums, onOpen }: AgentProps) {
  return (
    <details open>
      <summary className="px-4 py-2.5 hover:bg-raised">
        <Badge tone="accent">agent</Badge> <span className="font-mono text-xs break-all">{id}</span>{' '}
        <span className="num text-muted">
          {sums !== undefined &&
            `${exact(sums.requests)} ${sums.requests === 1 ? 'request' : 'requests'}, ${count(sums.total_tokens)} tokens, ${usd(sums.cost_usd)}`}
        </span>
      </summary>
      <ul aria-label={`Requests of agent ${id}`} className="ml-6 divide-y divide-line border-l border-line">
        {calls.map((call) => (
          <Call key={call.record.id} call={call} onOpen={onOpen} />
        ))}
      </ul>
    </details>
  );
}

interface CallProps {
  readonly call: SessionCall;
  readonly onOpen: (record: UsageRecord) => void;
}
function Call({ call: { record, retried }, onOpen }: CallProps) {
  return (
    <li>
      <button
        type="button"
        className="num flex min-h-11 w-full items-center gap-x-4 px-4 py-2 text-left text-sm hover:bg-raised"
        onClick={() => onOpen(record)}
      >
        <span className="flex w-12 shrink-0 items-center gap-2">
          <Dot tone={STATUS_TONES[record.status]} />
          {record.http_status}
        </span>
        <span className="min-w-0 flex-1 truncate">
          <span className="font-medium">{record.model}</span>
          {record.error_code !== null && <span className="ml-2 text-bad">{record.error_code}</span>}
        </span>
        <span className="hidden text-muted sm:block">
          {count(record.prompt_tokens)} → {count(record.completion_tokens)}
        </span>
        <span className="hidden w-16 shrink-0 text-right sm:block">{milliseconds(record.duration_ms)}</span>
        <span className="w-20 shrink-0 text-right">{usd(record.cost_usd)}</span>
        <span className="hidden w-44 shrink-0 text-right text-muted md:block">
          <Time at={record.created_at} />
        </span>
        <span className="sr-only">Open request {record.request_id}</span>
      </button>
      {retried.length > 0 && (
        <ul aria-label="Attempts before it" className="mb-2 ml-10 border-l border-line">
          {retried.map((attempt) => (
            <li key={attempt.id} className="num flex flex-wrap gap-x-4 px-3 py-0.5 text-xs text-muted">
              <span className="min-w-0 flex-1 truncate">
                {attempt.provider ?? 'none'} {attempt.upstream_model}
                {attempt.error_code !== null && <span className="ml-2 text-bad">{attempt.error_code}</span>}
              </span>
              <span>{milliseconds(attempt.duration_ms)}</span>
              <span>{usd(attempt.cost_usd)}</span>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}
