import { useState } from 'react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { History } from 'lucide-react';
import { api, bodyOf, type Schemas } from '../api/client';
import { useListPages } from '../api/list-pages';
import { Badge, Button, Card, Empty, ErrorNote, Skeleton, SkeletonRows, Time } from '../ui/basics';
import { Dialog } from '../ui/dialog';
import { Diff } from '../ui/diff';
import { NoteField, refreshConfiguration, tellApplied } from './configuration-editor';

type Change = Schemas['ConfigurationChange'];

const KINDS = { edited: 'edited', restored: 'restored', found: 'changed on the machine' } as const;

/** Who changed gateway.yaml and when; each text can be restored. */
export function ConfigurationHistory() {
  const [open, setOpen] = useState<Change | null>(null);
  const { query, rows } = useListPages(['configuration-changes'], ({ after }) =>
    bodyOf(
      api.GET('/v1/admin/configuration/changes', {
        params: { query: { limit: 50, ...(after !== undefined && { after }) } },
      }),
    ),
  );
  return (
    <Card title="History" flush>
      <div className="border-t border-line">
        {query.error !== null ? (
          <div className="p-4">
            <ErrorNote error={query.error} onRetry={() => void query.refetch()} />
          </div>
        ) : query.data === undefined ? (
          <SkeletonRows rows={4} />
        ) : rows.length === 0 ? (
          <Empty icon={History} title="No edits yet">
            Each edit is kept here with its text, so that it can be undone. The newest 50 stay.
          </Empty>
        ) : (
          <ul className="divide-y divide-line" aria-label="Edits">
            {rows.map((change) => (
              <li key={change.id} className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2.5">
                <div className="min-w-0 flex-1 basis-60">
                  <p className="flex flex-wrap items-baseline gap-x-2">
                    <span className="font-medium break-words">{change.note ?? whoOf(change)}</span>
                    <Badge tone={change.kind === 'found' ? 'neutral' : 'accent'}>{KINDS[change.kind]}</Badge>
                    <span className="num font-mono text-xs">
                      <span className="text-good">+{change.added_lines}</span>{' '}
                      <span className="text-bad">−{change.removed_lines}</span>
                    </span>
                  </p>
                  <p className="text-xs break-words text-muted">
                    {change.note !== null && `${whoOf(change)}, `}
                    {change.host}, <Time at={change.created_at} relative />
                  </p>
                </div>
                <Button aria-label={`Compare ${change.id}`} onClick={() => setOpen(change)}>
                  Compare
                </Button>
              </li>
            ))}
          </ul>
        )}
      </div>
      {open !== null && <Restore change={open} onClose={() => setOpen(null)} />}
    </Card>
  );
}

function Restore({ change, onClose }: { readonly change: Change; readonly onClose: () => void }) {
  const [note, setNote] = useState('');
  const queries = useQueryClient();
  const path = { id: change.id };
  const { data, error } = useQuery({
    queryKey: ['configuration-change', change.id],
    queryFn: async () => {
      // The file first: if it changes in between, the restore is refused.
      const file = await bodyOf(api.GET('/v1/admin/configuration/file'));
      const details = await bodyOf(api.GET('/v1/admin/configuration/changes/{id}', { params: { path } }));
      return { ...details, fileVersion: file.version };
    },
    gcTime: 0,
  });
  const restore = useMutation({
    mutationFn: (version: string) =>
      bodyOf(
        api.POST('/v1/admin/configuration/changes/{id}/restore', {
          params: { path },
          body: { version, ...(note.trim() !== '' && { note: note.trim() }) },
        }),
      ),
    onSuccess: async (applied) => {
      tellApplied(applied);
      onClose();
      await refreshConfiguration(queries);
    },
  });
  const failure = error ?? restore.error;
  const isSame = data?.diff.length === 0;
  return (
    <Dialog
      title={isSame ? 'The file has this text' : 'Restore this text?'}
      about={
        <>
          {whoOf(change)}, <Time at={change.created_at} />
        </>
      }
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Keep as it is</Button>
          <Button
            changes
            variant="primary"
            busy={restore.isPending}
            disabled={data === undefined || isSame}
            onClick={() => {
              if (data !== undefined) restore.mutate(data.fileVersion);
            }}
          >
            Restore
          </Button>
        </>
      }
    >
      <div className="grid gap-4">
        {failure !== null && <ErrorNote error={failure} />}
        {data === undefined ? (
          error === null && <Skeleton className="h-40 w-full" />
        ) : (
          <>
            <Diff lines={data.diff} label="What would change" />
            {!isSame && <NoteField value={note} onChange={setNote} />}
          </>
        )}
      </div>
    </Dialog>
  );
}

function whoOf({ actor, actor_name: name }: Change): string {
  if (actor === 'operator') return 'An operator';
  return actor === 'admin' ? 'GATEWAY_ADMIN_KEY' : (name ?? actor);
}
