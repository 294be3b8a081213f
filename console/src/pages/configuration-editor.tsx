import { useEffect, useId, useRef, useState } from 'react';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { CircleCheck, TriangleAlert } from 'lucide-react';
import { api, ApiError, bodyOf, type Schemas } from '../api/client';
import { Badge, Button, Card, ErrorNote, Field, Input, Skeleton } from '../ui/basics';
import { CodeEditor, type CodeEditorHandle } from '../ui/code-editor';
import { Dialog } from '../ui/dialog';
import { Diff } from '../ui/diff';
import { notify } from '../ui/toast';

/** Milliseconds without a key press before the text is checked. */
const CHECK_DELAY_MS = 350;

type File = Schemas['ConfigurationFile'];

/** gateway.yaml as a text, checked while it is typed, and applied after a look at what changes. */
export function ConfigurationEditor() {
  const { data, error, refetch } = useQuery({
    queryKey: ['configuration-file'],
    queryFn: () => bodyOf(api.GET('/v1/admin/configuration/file')),
    // The text that is typed must not be replaced; a changed file is found when the edit is applied.
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
  if (error !== null) return <ErrorNote error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <Skeleton className="h-96 w-full" />;
  return <Editor key={data.version} file={data} onReload={() => void refetch()} />;
}

function Editor({ file, onReload }: { readonly file: File; readonly onReload: () => void }) {
  const [text, setText] = useState(file.text);
  const [isReviewed, setReviewed] = useState(false);
  const editor = useRef<CodeEditorHandle>(null);
  const faultsId = useId();
  const settled = useSettled(text);
  const {
    data: check,
    error,
    isPlaceholderData,
  } = useQuery({
    queryKey: ['configuration-check', file.version, settled],
    queryFn: ({ signal }) =>
      bodyOf(api.POST('/v1/admin/configuration/file/check', { body: { text: settled }, signal })),
    placeholderData: keepPreviousData,
    gcTime: 0,
  });
  const isChanged = text !== file.text;
  const isCurrent = settled === text && !isPlaceholderData && check !== undefined;
  const faults = check?.faults ?? [];
  return (
    <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
      <Card
        title="gateway.yaml"
        flush
        aside={
          <span className="flex gap-2">
            <Button disabled={!isChanged} onClick={() => setText(file.text)}>
              Discard
            </Button>
            <Button
              changes
              variant="primary"
              disabled={!isChanged || !isCurrent || !check.valid}
              onClick={() => setReviewed(true)}
            >
              Review changes
            </Button>
          </span>
        }
      >
        <CodeEditor
          ref={editor}
          label="Text of gateway.yaml"
          value={text}
          onChange={setText}
          wrongLines={new Set(faults.flatMap(({ line }) => line ?? []))}
          describedBy={faultsId}
        />
      </Card>
      <div className="grid gap-4">
        {/* Above the check, which grows with what it finds. */}
        <Card title="How edits work">
          <div className="grid gap-2 text-sm text-muted">
            <p>
              Secrets are shown as <code className="font-mono text-xs">{'<hidden:…>'}</code>: leave that where it is to
              keep the secret, or write another one over it.
            </p>
            <p>
              The file of <span className="font-medium text-text">{file.host}</span> is written, and all processes that
              read it take it over within two seconds.
            </p>
            {file.other_hosts.length > 0 && (
              <p className="text-warn">
                Other machines are reached only if they read the same file: {file.other_hosts.join(', ')}.
              </p>
            )}
          </div>
        </Card>
        <Card title="Check">
          <div id={faultsId} role="status" className="min-h-[1.375rem]">
            {error !== null ? (
              <ErrorNote error={error} />
            ) : check === undefined ? (
              <Skeleton className="h-5 w-2/3" />
            ) : faults.length > 0 ? (
              <p className="flex items-center gap-2 font-medium text-bad">
                <TriangleAlert size={16} aria-hidden />
                {faults.length === 1 ? '1 fault' : `${faults.length} faults`}
              </p>
            ) : (
              <p className="flex items-center gap-2 text-good">
                <CircleCheck size={16} aria-hidden />
                {isChanged ? 'This can be applied.' : 'No changes yet.'}
              </p>
            )}
          </div>
          {faults.length > 0 && (
            <ul className="mt-3 grid gap-2">
              {faults.map(({ path, line, message }, index) => (
                <li key={index} className="rounded-md border border-line p-3">
                  <p className="flex flex-wrap items-baseline justify-between gap-x-3">
                    <span className="font-mono text-xs font-medium break-all">{path}</span>
                    {line !== null && (
                      <button
                        type="button"
                        className="text-xs text-accent-strong underline"
                        onClick={() => editor.current?.goTo(line)}
                      >
                        line {line}
                      </button>
                    )}
                  </p>
                  <p className="mt-0.5 text-sm break-words">{message}</p>
                </li>
              ))}
            </ul>
          )}
          {check !== undefined && check.waiting_for_restart.length > 0 && (
            <Waiting settings={check.waiting_for_restart} />
          )}
        </Card>
      </div>
      {isReviewed && check !== undefined && (
        <Review
          text={text}
          check={check}
          version={file.version}
          onClose={() => setReviewed(false)}
          onReload={() => {
            setReviewed(false);
            onReload();
          }}
        />
      )}
    </div>
  );
}

interface ReviewProps {
  readonly text: string;
  readonly check: Schemas['ConfigurationCheck'];
  readonly version: string;
  readonly onClose: () => void;
  readonly onReload: () => void;
}

function Review({ text, check, version, onClose, onReload }: ReviewProps) {
  const [note, setNote] = useState('');
  const queries = useQueryClient();
  const apply = useMutation({
    mutationFn: () => {
      const body = { text, version, ...(note.trim() !== '' && { note: note.trim() }) };
      return bodyOf(api.PUT('/v1/admin/configuration/file', { body }));
    },
    onSuccess: async (applied) => {
      tellApplied(applied);
      onClose();
      await refreshConfiguration(queries);
    },
  });
  const isLate = apply.error instanceof ApiError && apply.error.status === 409;
  return (
    <Dialog
      title="Apply these changes?"
      about="To the file, and at once to the processes that read it."
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Edit further</Button>
          {isLate ? (
            <Button onClick={onReload}>Discard mine and read again</Button>
          ) : (
            <Button variant="primary" changes busy={apply.isPending} onClick={() => apply.mutate()}>
              Apply
            </Button>
          )}
        </>
      }
    >
      <div className="grid gap-4">
        {apply.error !== null && <ErrorNote error={apply.error} />}
        <Diff lines={check.diff} label="Changes" />
        {check.waiting_for_restart.length > 0 && <Waiting settings={check.waiting_for_restart} />}
        <NoteField value={note} onChange={setNote} />
      </div>
    </Dialog>
  );
}

/** Why something is done, for the history. */
export function NoteField({ value, onChange }: { readonly value: string; readonly onChange: (note: string) => void }) {
  return (
    <Field label="Reason" hint="Optional; it is part of the history and of the audit log.">
      {(id, describedBy) => (
        <Input
          id={id}
          aria-describedby={describedBy}
          maxLength={200}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

/** Says which settings an edit changes only at the next start. */
function Waiting({ settings }: { readonly settings: readonly string[] }) {
  return (
    <div className="mt-3 text-sm">
      <p className="text-warn">These wait for a restart; everything else applies at once:</p>
      <p className="mt-1 flex flex-wrap gap-1.5">
        {settings.map((name) => (
          <Badge key={name} tone="warn">
            {name}
          </Badge>
        ))}
      </p>
    </div>
  );
}

/** Says what became of an edit. */
export function tellApplied({
  in_force: isInForce,
  waiting_for_restart: waiting,
}: Schemas['AppliedConfiguration']): void {
  if (!isInForce) notify('The file is written, but the gateway has not taken it over yet. Its log says why.');
  else if (waiting.length > 0) notify('Applied. Some settings wait for a restart.');
  else notify('Applied.');
}

/** Reads everything again that an edit may have changed. */
export async function refreshConfiguration(queries: ReturnType<typeof useQueryClient>): Promise<void> {
  const keys = [
    ...['configuration', 'configuration-file', 'configuration-changes', 'instances'],
    ...['models', 'deployments', 'providers', 'known-providers'],
  ];
  await Promise.all(keys.map((key) => queries.invalidateQueries({ queryKey: [key] })));
}

/** The text of a moment ago, so that not every key press is a request. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), CHECK_DELAY_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
