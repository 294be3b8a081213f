import { useState } from 'react';
import { useNavigate } from '@tanstack/react-router';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Plus, Trash2, Users } from 'lucide-react';
import { api, bodyOf, type Schemas } from '../api/client';
import { useListPages } from '../api/list-pages';
import { Button, Card, Empty, ErrorNote, Field, Input, PageHeader, SkeletonRows, Time } from '../ui/basics';
import { BudgetBar, limitsText } from '../ui/budget';
import { Dialog } from '../ui/dialog';
import { useFilters } from '../ui/filters';
import { SpendingFields, spendingOf, spendingText } from '../ui/spending-fields';
import { DataTable, type Column } from '../ui/table';
import { notify } from '../ui/toast';

type Group = Schemas['GroupWithUsage'];

const COLUMNS: readonly Column<Group>[] = [
  {
    id: 'name',
    header: 'Name',
    width: 'minmax(0,1.4fr)',
    cell: (group) => <span className="font-medium">{group.name}</span>,
  },
  {
    id: 'budget',
    header: 'Budget',
    width: 'minmax(0,1.2fr)',
    cell: (group) => <BudgetBar budget={group.budget} usage={group.budget_usage} isBrief />,
  },
  {
    id: 'limits',
    header: 'Limits',
    from: 1000,
    cell: (group) => <span className="text-muted">{limitsText(group.limits)}</span>,
  },
  {
    id: 'created',
    header: 'Created',
    width: '7rem',
    from: 700,
    isNumber: true,
    cell: (group) => (
      <span className="text-muted">
        <Time at={group.created_at} relative />
      </span>
    ),
  },
];

export function Groups() {
  const [search, change] = useFilters();
  const [open, setOpen] = useState<Group | 'new' | null>(null);
  const name = search['name'];
  const { query, rows: groups } = useListPages(['groups', { name }], (place) =>
    bodyOf(
      api.GET('/v1/admin/groups', {
        params: { query: { limit: 50, ...(name !== undefined && { name }), ...place } },
      }),
    ),
  );
  return (
    <>
      <PageHeader title="Groups" about="Keys of a group share its limits and its budget.">
        <Button changes variant="primary" icon={Plus} onClick={() => setOpen('new')}>
          Create a group
        </Button>
      </PageHeader>
      <Card flush>
        <div className="border-b border-line p-3">
          <Input
            data-filter
            type="search"
            aria-label="Filter by name"
            placeholder="Filter by name"
            className="max-w-64"
            defaultValue={name ?? ''}
            onChange={(event) => change({ name: event.target.value })}
          />
        </div>
        {query.error !== null ? (
          <div className="p-4">
            <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
          </div>
        ) : query.isPending ? (
          <SkeletonRows rows={4} />
        ) : groups.length === 0 ? (
          <Empty
            icon={Users}
            title={name === undefined ? 'No groups yet' : 'No group has this name'}
            action={
              name === undefined && (
                <Button changes variant="primary" icon={Plus} onClick={() => setOpen('new')}>
                  Create a group
                </Button>
              )
            }
          >
            A group is a team, a service or a customer whose keys share a budget.
          </Empty>
        ) : (
          <DataTable
            label="Groups"
            columns={COLUMNS}
            rows={groups}
            keyOf={({ id }) => id}
            onOpen={setOpen}
            openLabel={({ name: each }) => `Open ${each}`}
            hasMore={query.hasNextPage}
            isLoadingMore={query.isFetchingNextPage}
            onMore={() => void query.fetchNextPage()}
          />
        )}
      </Card>
      {open !== null && <GroupDialog group={open === 'new' ? undefined : open} onClose={() => setOpen(null)} />}
    </>
  );
}

function GroupDialog({ group, onClose }: { readonly group: Group | undefined; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState(group?.name ?? '');
  const [spending, setSpending] = useState(spendingText(group?.limits ?? null, group?.budget ?? null));
  const done = async (text: string): Promise<void> => {
    notify(text);
    await queries.invalidateQueries({ queryKey: ['groups'] });
    onClose();
  };
  const save = useMutation({
    mutationFn: async () => {
      const body = { name, ...spendingOf(spending) };
      if (group === undefined) await api.POST('/v1/admin/groups', { body });
      else await api.PATCH('/v1/admin/groups/{id}', { params: { path: { id: group.id } }, body });
    },
    onSuccess: () => done(group === undefined ? 'The group is created.' : 'The group is changed.'),
  });
  const remove = useMutation({
    mutationFn: async () => {
      await api.DELETE('/v1/admin/groups/{id}', { params: { path: { id: group?.id ?? '' } } });
    },
    onSuccess: () => done('The group is deleted.'),
  });
  const error = save.error ?? remove.error;
  return (
    <Dialog
      title={group?.name ?? 'Create a group'}
      onClose={onClose}
      footer={
        <>
          {group !== undefined && (
            <Button
              changes
              variant="danger"
              icon={Trash2}
              className="mr-auto"
              busy={remove.isPending}
              onClick={() => remove.mutate()}
            >
              Delete
            </Button>
          )}
          <Button onClick={onClose}>Cancel</Button>
          <Button changes type="submit" form="group" variant="primary" busy={save.isPending}>
            {group === undefined ? 'Create the group' : 'Save'}
          </Button>
        </>
      }
    >
      <form
        id="group"
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        {group !== undefined && (
          <>
            <BudgetBar budget={group.budget} usage={group.budget_usage} />
            <Button onClick={() => void navigate({ to: '/keys', search: { group_id: group.id } })}>
              Keys of this group
            </Button>
          </>
        )}
        <Field label="Name">
          {(id) => <Input id={id} required value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
        <SpendingFields value={spending} onChange={setSpending} />
        {error !== null && <ErrorNote error={error} />}
      </form>
    </Dialog>
  );
}
