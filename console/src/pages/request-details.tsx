import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api, bodyOf, type Schemas } from '../api/client';
import { useSession } from '../api/session';
import { exact, milliseconds, usd } from '../format';
import { Badge, Code, CopyButton, ErrorNote, Facts, Skeleton, Time } from '../ui/basics';
import { Dialog } from '../ui/dialog';
import { RequestContent } from './request-content';
import { STATUS_TONES, type UsageRecord } from './requests';

/** A request with its attempts. */
export function RequestDetails({ record, onClose }: { readonly record: UsageRecord; readonly onClose: () => void }) {
  const isAdmin = useSession().role !== 'member';
  const attempts = useQuery({
    queryKey: ['attempts', record.request_id],
    queryFn: async () => {
      const params = {
        query: {
          request_id: record.request_id,
          start: record.created_at - 3_600,
          end: record.created_at + 86_400,
          limit: 100,
        },
      };
      const list = await (isAdmin
        ? (bodyOf(api.GET('/v1/admin/usage/records', { params })) as Promise<Schemas['UsageRecordList']>)
        : bodyOf(api.GET('/v1/key/usage/records', { params })));
      return [...list.data].reverse();
    },
  });
  return (
    <Dialog
      kind="side"
      title={record.model}
      about={
        <span className="font-mono text-xs break-all">
          {record.request_id} <CopyButton text={record.request_id} label="Copy the request id" />
        </span>
      }
      onClose={onClose}
    >
      <div className="space-y-6">
        <section>
          <h3 className="mb-2">Attempts</h3>
          {attempts.error !== null ? (
            <ErrorNote error={attempts.error} />
          ) : attempts.data === undefined ? (
            <Skeleton className={`${record.attempts > 1 ? 'h-28' : 'h-[4.125rem]'} w-full`} />
          ) : (
            <Waterfall records={attempts.data} />
          )}
        </section>
        <section>
          <h3 className="mb-2">Request</h3>
          <Facts
            rows={[
              [
                'Status',
                <Badge key="status" tone={STATUS_TONES[record.status]}>
                  {record.status} · {record.http_status}
                </Badge>,
              ],
              ...(record.error_code === null
                ? []
                : [
                    [
                      'Error',
                      <span key="error" className="text-bad">
                        {record.error_code}
                      </span>,
                    ] as const,
                  ]),
              ['Began', <Time key="time" at={record.created_at} />],
              ['Asked for', record.requested_model],
              ['Answered by', `${record.provider ?? '–'} / ${record.upstream_model ?? '–'}`],
              ['Operation', `${record.operation}${record.stream ? ', streamed' : ''}, ${record.source}`],
              ['Wire format', record.wire_format ?? '–'],
              [
                'Key',
                isAdmin ? (
                  <Link
                    key="key"
                    to="/requests"
                    search={{ key_id: record.key_id }}
                    className="text-accent hover:underline"
                    onClick={onClose}
                  >
                    {record.key_id}
                  </Link>
                ) : (
                  record.key_id
                ),
              ],
              ['End user', record.user ?? '–'],
              [
                'Session',
                record.session_id === null ? (
                  '–'
                ) : (
                  <Link
                    key="session"
                    to="/requests/session"
                    search={{ id: record.session_id }}
                    className="text-accent hover:underline"
                    onClick={onClose}
                  >
                    {record.session_id}
                  </Link>
                ),
              ],
              ...(record.agent_id === null ? [] : [['Agent', record.agent_id] as const]),
            ]}
          />
        </section>
        <section>
          <h3 className="mb-2">Tokens and cost</h3>
          <Facts
            rows={[
              ['Prompt', exact(record.prompt_tokens)],
              ['of it from the cache', exact(record.cached_tokens)],
              ['of it written to the cache', exact(record.cache_write_tokens)],
              ['Completion', exact(record.completion_tokens)],
              ['of it reasoning', exact(record.reasoning_tokens)],
              ['Cost', record.cost_usd === null ? 'The price is not known' : usd(record.cost_usd)],
              [
                'Counted',
                record.cost_basis === 'reported'
                  ? 'By the provider'
                  : record.cost_basis === 'estimated'
                    ? 'By estimate'
                    : 'As the worst case',
              ],
            ]}
          />
        </section>
        {record.metadata !== null && (
          <section>
            <h3 className="mb-2">Metadata</h3>
            <Code label="Metadata" text={JSON.stringify(record.metadata, null, 2)} />
          </section>
        )}
        {isAdmin && (
          <section>
            <h3 className="mb-2">Content</h3>
            <RequestContent record={record} />
          </section>
        )}
      </div>
    </Dialog>
  );
}

/** Each attempt from its start, until its first byte and until its end. */
function Waterfall({ records }: { readonly records: readonly UsageRecord[] }) {
  const begin = Math.min(...records.map(({ created_at: at }) => at * 1_000));
  const end = Math.max(...records.map(({ created_at: at, duration_ms: length }) => at * 1_000 + length), begin + 1);
  const shareOf = (value: number): number => (value / (end - begin)) * 100;
  const last = records.at(-1);
  const silent = (last?.attempts ?? 1) - records.filter(({ status }) => status === 'retried').length - 1;
  return (
    <div className="space-y-3">
      {records.map((each) => {
        const left = shareOf(each.created_at * 1_000 - begin);
        const width = Math.max(0.8, shareOf(each.duration_ms));
        const first = each.first_byte_ms === null ? width : Math.min(width, shareOf(each.first_byte_ms));
        const isBad = each.status === 'failed' || each.status === 'retried';
        return (
          <div key={each.id}>
            <div className="num mb-1 flex items-baseline justify-between gap-3">
              <span className="truncate">
                <span className="font-medium">{each.provider ?? 'none'}</span>{' '}
                <span className="text-muted">{each.upstream_model}</span>
                {each.error_code !== null && <span className="ml-2 text-bad">{each.error_code}</span>}
              </span>
              <span className="shrink-0 text-muted">
                {each.first_byte_ms !== null && `${milliseconds(each.first_byte_ms)} to the first byte, `}
                {milliseconds(each.duration_ms)}
              </span>
            </div>
            <svg viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden className="block h-2.5 w-full rounded">
              <rect width="100" height="3" fill="var(--raised)" />
              <rect x={left} width={width} height="3" fill={isBad ? 'var(--bad)' : 'var(--chart-1)'} />
              <rect x={left} width={first} height="3" fill="var(--surface)" opacity="0.55" />
            </svg>
          </div>
        );
      })}
      <p className="text-xs text-muted">
        Pale until the first byte, full while the response came.
        {silent > 0 &&
          ` ${silent} further ${silent === 1 ? 'attempt' : 'attempts'} failed without using tokens, so ${silent === 1 ? 'it has' : 'they have'} no record.`}
      </p>
    </div>
  );
}
