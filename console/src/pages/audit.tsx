import { useState } from 'react';
import { Download, ScrollText } from 'lucide-react';
import { api, bodyOf, downloadCsv, type Schemas } from '../api/client';
import { useListPages } from '../api/list-pages';
import {
  Badge,
  Button,
  Card,
  Empty,
  ErrorNote,
  Facts,
  Input,
  PageHeader,
  Select,
  SkeletonRows,
  Time,
} from '../ui/basics';
import { Dialog } from '../ui/dialog';
import { useFilters } from '../ui/filters';
import { DataTable, type Column } from '../ui/table';
import { notifyError } from '../ui/toast';

type Entry = Schemas['AuditEntry'];
const TARGETS = ['key', 'group', 'batch', 'request_log', 'provider', 'deployment', 'configuration', 'session'] as const;

const COLUMNS: readonly Column<Entry>[] = [
  { id: 'action', header: 'Action', width: 'minmax(0,1.2fr)', cell: (entry) => <Badge>{entry.action}</Badge> },
  {
    id: 'target',
    header: 'On',
    width: 'minmax(0,1.3fr)',
    cell: (entry) => <span className="font-mono text-xs">{entry.target_id}</span>,
  },
  {
    id: 'actor',
    header: 'By',
    from: 700,
    cell: (entry) => <span className="font-mono text-xs text-muted">{entry.actor}</span>,
  },
  {
    id: 'changes',
    header: 'Changes',
    width: 'minmax(0,2fr)',
    from: 1000,
    cell: (entry) => <span className="text-muted">{Object.keys(entry.changes).join(', ')}</span>,
  },
  {
    id: 'time',
    header: 'Time',
    width: '7rem',
    isNumber: true,
    cell: (entry) => (
      <span className="text-muted">
        <Time at={entry.created_at} relative />
      </span>
    ),
  },
];

export function Audit() {
  const [search, change] = useFilters();
  const [open, setOpen] = useState<Entry | null>(null);
  const target = TARGETS.find((each) => each === search['kind']);
  const filters = {
    ...(target !== undefined && { action: `${target}.*` }),
    ...(search['actor'] !== undefined && { actor: search['actor'] }),
    ...(search['target_id'] !== undefined && { target_id: search['target_id'] }),
  };
  const { query, rows: entries } = useListPages(
    ['audit', filters],
    (place) =>
      bodyOf(api.GET('/v1/admin/audit', { params: { query: { ...filters, limit: 100, ...place } } })) as Promise<
        Schemas['AuditEntryList']
      >,
  );
  return (
    <>
      <PageHeader title="Audit" about="Who changed what, with the values before and after.">
        <Button
          icon={Download}
          onClick={() =>
            void downloadCsv(`/v1/admin/audit?${new URLSearchParams(filters).toString()}`, 'audit.csv').catch(
              notifyError,
            )
          }
        >
          CSV
        </Button>
      </PageHeader>
      <Card flush>
        <div className="flex flex-wrap gap-2 border-b border-line p-3">
          <Select
            aria-label="Kind"
            className="w-44"
            value={target ?? ''}
            onChange={(event) => change({ kind: event.target.value })}
          >
            <option value="">Every kind</option>
            {TARGETS.map((each) => (
              <option key={each} value={each}>
                {each.replace('_', ' ')}
              </option>
            ))}
          </Select>
          <Input
            data-filter
            aria-label="By key"
            placeholder="By key id"
            className="max-w-52"
            defaultValue={search['actor'] ?? ''}
            onBlur={(event) => change({ actor: event.target.value })}
            onKeyDown={(event) => {
              if (event.key === 'Enter') change({ actor: event.currentTarget.value });
            }}
          />
          <Input
            aria-label="On"
            placeholder="On id"
            className="max-w-52"
            defaultValue={search['target_id'] ?? ''}
            onBlur={(event) => change({ target_id: event.target.value })}
            onKeyDown={(event) => {
              if (event.key === 'Enter') change({ target_id: event.currentTarget.value });
            }}
          />
        </div>
        {query.error !== null ? (
          <div className="p-4">
            <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
          </div>
        ) : query.isPending ? (
          <SkeletonRows />
        ) : entries.length === 0 ? (
          <Empty icon={ScrollText} title="Nothing was changed">
            Changes of keys, groups, batches and the configuration are listed here.
          </Empty>
        ) : (
          <DataTable
            label="Audit entries"
            columns={COLUMNS}
            rows={entries}
            keyOf={({ id }) => id}
            onOpen={setOpen}
            openLabel={({ action, target_id: id }) => `Open ${action} on ${id}`}
            hasMore={query.hasNextPage}
            isLoadingMore={query.isFetchingNextPage}
            onMore={() => void query.fetchNextPage()}
          />
        )}
      </Card>
      {open !== null && <EntryDetails entry={open} onClose={() => setOpen(null)} />}
    </>
  );
}

const show = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function EntryDetails({ entry, onClose }: { readonly entry: Entry; readonly onClose: () => void }) {
  const fields = [...new Set([...Object.keys(entry.changes), ...Object.keys(entry.before ?? {})])];
  return (
    <Dialog kind="side" title={entry.action} about={<Time at={entry.created_at} />} onClose={onClose}>
      <Facts
        rows={[
          ['On', entry.target_id],
          ['By', entry.actor],
          ['Entry', entry.id],
        ]}
      />
      {fields.length > 0 && (
        <table className="mt-6 w-full table-fixed text-left text-sm">
          <thead className="text-xs text-muted">
            <tr>
              <th className="w-1/4 py-1.5 font-medium">Field</th>
              <th className="py-1.5 font-medium">Before</th>
              <th className="py-1.5 font-medium">Asked for</th>
            </tr>
          </thead>
          <tbody className="divide-y divide-line border-y border-line align-top">
            {fields.map((field) => (
              <tr key={field}>
                <td className="py-2 pr-3 break-words">{field}</td>
                <td className="py-2 pr-3 font-mono text-xs break-words text-bad">
                  {entry.before !== null && field in entry.before ? show(entry.before[field]) : '–'}
                </td>
                <td className="py-2 font-mono text-xs break-words text-good">
                  {field in entry.changes ? show(entry.changes[field]) : '–'}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Dialog>
  );
}
