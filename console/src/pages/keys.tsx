import { useState } from 'react';
import { KeyRound, Plus } from 'lucide-react';
import { api, bodyOf, type Schemas } from '../api/client';
import { useListPages } from '../api/list-pages';
import { Badge, Button, Card, Empty, ErrorNote, Input, PageHeader, Segmented, SkeletonRows, Time } from '../ui/basics';
import { BudgetBar, limitsText } from '../ui/budget';
import { useFilters } from '../ui/filters';
import { DataTable, type Column } from '../ui/table';
import { CreateKey } from './key-create';
import { KeyDetails } from './key-details';

type Key = Schemas['KeyWithUsage'];

export function stateOf(key: Pick<Key, 'revoked_at' | 'expires_at'>): 'revoked' | 'expired' | 'active' {
  if (key.revoked_at !== null) return 'revoked';
  return key.expires_at !== null && key.expires_at * 1_000 < Date.now() ? 'expired' : 'active';
}

export const KEY_COLUMNS: readonly Column<Key>[] = [
  {
    id: 'name',
    header: 'Name',
    width: 'minmax(0,1.6fr)',
    cell: (key) => (
      <span className="flex items-center gap-2">
        <span className="truncate font-medium">{key.name}</span>
        {key.scopes.includes('admin') && <Badge tone="accent">admin</Badge>}
        {stateOf(key) !== 'active' && <Badge tone="bad">{stateOf(key)}</Badge>}
      </span>
    ),
  },
  {
    id: 'hint',
    header: 'Key',
    width: '7rem',
    from: 900,
    cell: (key) => <span className="font-mono text-xs text-muted">{key.hint}</span>,
  },
  {
    id: 'budget',
    header: 'Budget',
    width: 'minmax(0,1.2fr)',
    cell: (key) => <BudgetBar budget={key.budget} usage={key.budget_usage} isBrief />,
  },
  {
    id: 'owner',
    header: 'Owner',
    from: 1100,
    cell: (key) => <span className="truncate text-muted">{key.owner ?? '–'}</span>,
  },
  {
    id: 'limits',
    header: 'Limits',
    from: 1200,
    cell: (key) => <span className="text-muted">{limitsText(key.limits)}</span>,
  },
  {
    id: 'created',
    header: 'Created',
    width: '7rem',
    from: 760,
    isNumber: true,
    cell: (key) => (
      <span className="text-muted">
        <Time at={key.created_at} relative />
      </span>
    ),
  },
];

export function Keys() {
  const [search, change] = useFilters();
  const [open, setOpen] = useState<string | null>(null);
  const state = search['state'] === 'revoked' ? 'revoked' : 'active';
  const name = search['name'];
  const { query, rows: keys } = useListPages(
    ['keys', { name, state, group: search['group_id'], owner: search['owner'] }],
    (place) =>
      bodyOf(
        api.GET('/v1/admin/keys', {
          params: {
            query: {
              limit: 50,
              revoked: state === 'revoked' ? 'true' : 'false',
              ...(name !== undefined && { name }),
              ...(search['group_id'] !== undefined && { group_id: search['group_id'] }),
              ...(search['owner'] !== undefined && { owner: search['owner'] }),
              ...place,
            },
          },
        }),
      ),
  );
  const create = (): void => change({ create: 'yes' });
  return (
    <>
      <PageHeader title="Keys" about="A key for each client, with its own limits, budget and models.">
        <Button changes variant="primary" icon={Plus} onClick={create}>
          Create a key
        </Button>
      </PageHeader>
      <Card flush>
        <div className="flex flex-wrap items-center gap-2 border-b border-line p-3">
          <Input
            data-filter
            type="search"
            aria-label="Filter by name"
            placeholder="Filter by name"
            className="max-w-64 flex-1"
            defaultValue={name ?? ''}
            onChange={(event) => change({ name: event.target.value })}
          />
          <Segmented
            label="State"
            value={state}
            options={[
              ['active', 'In force'],
              ['revoked', 'Revoked'],
            ]}
            onChange={(value) => change({ state: value === 'active' ? undefined : value })}
          />
          {search['group_id'] !== undefined && (
            <Button onClick={() => change({ group_id: undefined })}>Group {search['group_id']} ✕</Button>
          )}
          {search['owner'] !== undefined && (
            <Button onClick={() => change({ owner: undefined })}>Owner {search['owner']} ✕</Button>
          )}
        </div>
        {query.error !== null ? (
          <div className="p-4">
            <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
          </div>
        ) : query.isPending ? (
          <SkeletonRows />
        ) : keys.length === 0 ? (
          <Empty
            icon={KeyRound}
            title={
              name === undefined ? (state === 'active' ? 'No keys yet' : 'No key was revoked') : 'No key has this name'
            }
            action={
              state === 'active' &&
              name === undefined && (
                <Button changes variant="primary" icon={Plus} onClick={create}>
                  Create a key
                </Button>
              )
            }
          >
            {name === undefined
              ? 'Give each client a key of its own: then its usage is visible, and it can be stopped alone.'
              : 'Look for a shorter part of the name.'}
          </Empty>
        ) : (
          <DataTable
            label="Keys"
            columns={KEY_COLUMNS}
            rows={keys}
            keyOf={({ id }) => id}
            onOpen={({ id }) => setOpen(id)}
            openLabel={({ name: each }) => `Open ${each}`}
            hasMore={query.hasNextPage}
            isLoadingMore={query.isFetchingNextPage}
            onMore={() => void query.fetchNextPage()}
          />
        )}
      </Card>
      {search['create'] !== undefined && <CreateKey onClose={() => change({ create: undefined })} />}
      {open !== null && <KeyDetails id={open} onClose={() => setOpen(null)} />}
    </>
  );
}
