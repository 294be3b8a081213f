import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, bodyOf } from '../api/client';
import { useSession } from '../api/session';
import { Badge, Button, Card, ErrorNote, PageHeader, Segmented, Skeleton, Time } from '../ui/basics';
import { notify, notifyError } from '../ui/toast';
import { chooseTheme, themeChoice, useTheme } from '../shell/theme';

const INSTANCES = {
  queryKey: ['instances'],
  queryFn: () => bodyOf(api.GET('/v1/admin/instances')),
  refetchInterval: 15_000,
};
const SESSIONS = {
  queryKey: ['sessions'],
  queryFn: () => bodyOf(api.GET('/v1/admin/sessions', { params: { query: { limit: 100 } } })),
};

export function Settings() {
  useTheme();
  const { isPending } = useQuery(INSTANCES);
  // Is read at the same time, and shown below the instances, whose number nobody knows before they are there.
  useQuery(SESSIONS);
  return (
    <>
      <PageHeader title="Gateway and sessions" about="The processes that serve, and who is signed in." />
      <div className="grid gap-4">
        <Card title="Appearance">
          <Segmented
            label="Theme"
            value={themeChoice()}
            options={[
              ['system', 'As the system'],
              ['light', 'Light'],
              ['dark', 'Dark'],
            ]}
            onChange={chooseTheme}
          />
        </Card>
        <Instances />
        {!isPending && <Sessions />}
      </div>
    </>
  );
}

function Instances() {
  const { data, error } = useQuery(INSTANCES);
  const hashes = new Set(
    data?.data.filter(({ status }) => status === 'running').map((each) => each.configuration_hash),
  );
  return (
    <Card
      title="Instances"
      aside={hashes.size > 1 ? <Badge tone="warn">different configurations</Badge> : undefined}
      flush
    >
      {error !== null ? (
        <div className="p-4">
          <ErrorNote error={error} />
        </div>
      ) : data === undefined ? (
        <div className="p-4">
          <Skeleton className="h-16 w-full" />
        </div>
      ) : (
        <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Instances">
          <table className="w-full text-left text-sm whitespace-nowrap">
            <thead className="border-y border-line bg-bg text-xs text-muted">
              <tr>
                {['Host', 'State', 'Role', 'Version', 'Configuration', 'Started'].map((name) => (
                  <th key={name} className="px-4 py-2 font-medium">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody className="divide-y divide-line">
              {data.data.map((each) => (
                <tr key={each.id}>
                  <td className="px-4 py-2.5 font-medium">
                    {each.host} <span className="text-muted">{each.pid}</span>{' '}
                    {each.is_this && <Badge tone="accent">this one</Badge>}
                  </td>
                  <td className="px-4 py-2.5">
                    <Badge tone={each.status === 'running' ? 'good' : 'bad'}>{each.status}</Badge>
                  </td>
                  <td className="px-4 py-2.5">{each.role}</td>
                  <td className="px-4 py-2.5">{each.version}</td>
                  <td className="px-4 py-2.5 font-mono text-xs">{each.configuration_hash}</td>
                  <td className="px-4 py-2.5 text-muted">
                    <Time at={each.started_at} relative />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

function Sessions() {
  const own = useSession();
  const queries = useQueryClient();
  const { data, error } = useQuery(SESSIONS);
  const end = useMutation({
    mutationFn: (id: string) => bodyOf(api.DELETE('/v1/admin/sessions/{id}', { params: { path: { id } } })),
    onSuccess: async () => {
      notify('The session is ended.');
      await queries.invalidateQueries({ queryKey: ['sessions'] });
    },
    onError: notifyError,
  });
  return (
    <Card title="Sessions" flush>
      {error !== null ? (
        <div className="p-4">
          <ErrorNote error={error} />
        </div>
      ) : data === undefined ? (
        <div className="p-4">
          <Skeleton className="h-16 w-full" />
        </div>
      ) : (
        <ul className="divide-y divide-line border-t border-line">
          {data.data.map((each) => (
            <li key={each.id} className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2.5">
              <div className="min-w-0 flex-1">
                <p className="truncate">
                  <span className="font-medium">
                    {each.user ?? (each.key_id === 'admin' ? 'GATEWAY_ADMIN_KEY' : each.key_id)}
                  </span>{' '}
                  <span className="text-muted">{each.user_agent}</span>
                </p>
                <p className="text-xs text-muted">
                  Seen <Time at={each.last_seen_at} relative />, ends <Time at={each.idle_expires_at} /> if it is not
                  used
                </p>
              </div>
              {each.id === own.id ? (
                <Badge tone="accent">this session</Badge>
              ) : (
                <Button
                  changes
                  variant="danger"
                  busy={end.isPending && end.variables === each.id}
                  onClick={() => end.mutate(each.id)}
                >
                  End
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
