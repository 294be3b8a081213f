import { useQuery } from '@tanstack/react-query';
import { KeyRound } from 'lucide-react';
import { api, bodyOf } from '../api/client';
import { useListPages } from '../api/list-pages';
import { useSession } from '../api/session';
import { readUsage } from '../api/usage';
import { Card, Empty, ErrorNote, PageHeader, SkeletonRows } from '../ui/basics';
import { usePeriod } from '../ui/filters';
import { DataTable } from '../ui/table';
import { SpendChart } from './key-details';
import { KEY_COLUMNS } from './keys';

const COLUMNS = KEY_COLUMNS.filter(({ id }) => id !== 'owner');

/** The first page of a member who signed in by OpenID Connect: the keys that they own, and their usage. */
export function OwnKeys() {
  const { name } = useSession();
  const period = usePeriod('30d');
  const { start, end, interval } = period;
  const { query, rows: keys } = useListPages(['owned-keys'], (place) =>
    bodyOf(api.GET('/v1/session/keys', { params: { query: { limit: 50, ...place } } })),
  );
  const usage = useQuery({
    queryKey: ['own-usage', start],
    queryFn: ({ signal }) => readUsage({ start, end, interval }, { isOwn: true, signal }),
  });
  return (
    <>
      <PageHeader title="Your keys" about="The keys that you own, what is left of their budgets, and their usage." />
      <div className="space-y-4">
        {/* Above the list, whose length nobody knows before it is there. */}
        <Card>
          {usage.error !== null ? <ErrorNote error={usage.error} /> : <SpendChart period={period} rows={usage.data} />}
        </Card>
        <Card flush>
          {query.error !== null ? (
            <div className="p-4">
              <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
            </div>
          ) : query.isPending ? (
            <SkeletonRows />
          ) : keys.length === 0 ? (
            <Empty icon={KeyRound} title="No key is yours">
              Ask an administrator for a key whose owner is {name}.
            </Empty>
          ) : (
            <DataTable
              label="Your keys"
              columns={COLUMNS}
              rows={keys}
              keyOf={({ id }) => id}
              hasMore={query.hasNextPage}
              isLoadingMore={query.isFetchingNextPage}
              onMore={() => void query.fetchNextPage()}
            />
          )}
        </Card>
      </div>
    </>
  );
}
