import { useState } from 'react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { FileUp, Upload } from 'lucide-react';
import { api, bodyOf, uploadFile, type Schemas } from '../api/client';
import { bytes } from '../format';
import { Button, Code, ErrorNote, Field, Meter, Select } from '../ui/basics';
import { Dialog } from '../ui/dialog';
import { notify } from '../ui/toast';
import { previewOf, type FilePreview } from './batch-file';

const EXAMPLE =
  '{"custom_id": "line-1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "sandbox/echo", "messages": [{"role": "user", "content": "Hello"}]}}';
const WINDOWS = ['1h', '12h', '24h', '3d', '7d'] as const;
const PRICING: readonly (readonly [Schemas['BatchPricing'], string])[] = [
  ['live', 'List price, as soon as possible'],
  ['cheapest', 'The cheapest that is in time'],
  ['native', 'The batch API of the provider'],
  ['flex', 'The flex tier'],
];

interface UploadBatchProps {
  readonly onClose: () => void;
  readonly onSubmitted: (id: string) => void;
}

/** Uploads a JSONL file and makes a batch of it. The file is never read as a whole by the page, so it may be of any size. */
export function UploadBatch({ onClose, onSubmitted }: UploadBatchProps) {
  const queries = useQueryClient();
  const [file, setFile] = useState<File | null>(null);
  const [preview, setPreview] = useState<FilePreview | null>(null);
  const [completionWindow, setWindow] = useState<string>('24h');
  const [pricing, setPricing] = useState<Schemas['BatchPricing']>('live');
  const [sent, setSent] = useState(0);
  const [isOver, setOver] = useState(false);
  const submit = useMutation({
    mutationFn: async ({
      chosen,
      endpoint,
    }: {
      readonly chosen: File;
      readonly endpoint: NonNullable<FilePreview['endpoint']>;
    }) => {
      const { id } = await uploadFile(chosen, 'batch', setSent);
      return bodyOf(
        api.POST('/v1/batches', {
          body: { input_file_id: id, endpoint, completion_window: completionWindow, pricing },
        }),
      );
    },
    onSuccess: async ({ id }) => {
      notify('The batch is submitted; its lines are being checked.');
      await queries.invalidateQueries({ queryKey: ['batches'] });
      onSubmitted(id);
    },
  });
  const choose = (chosen: File | undefined): void => {
    if (chosen === undefined) return;
    submit.reset();
    setSent(0);
    setFile(chosen);
    setPreview(null);
    void previewOf(chosen).then(setPreview);
  };
  const endpoint = preview?.endpoint;
  return (
    <Dialog
      title="Upload a batch"
      about="A file with one request a line."
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          <Button
            changes
            variant="primary"
            icon={Upload}
            busy={submit.isPending}
            disabled={file === null || endpoint === undefined}
            onClick={() => {
              if (file !== null && endpoint !== undefined) submit.mutate({ chosen: file, endpoint });
            }}
          >
            Submit the batch
          </Button>
        </>
      }
    >
      <div className="space-y-4">
        <label
          onDragOver={(event) => {
            event.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={(event) => {
            event.preventDefault();
            setOver(false);
            choose(event.dataTransfer.files[0]);
          }}
          className={`flex cursor-pointer flex-col items-center gap-1 rounded-lg border border-dashed px-4 py-7 text-center transition-colors focus-within:outline-2 focus-within:outline-accent ${isOver ? 'border-accent bg-accent-soft' : 'border-line-strong hover:bg-raised'}`}
        >
          <FileUp size={22} strokeWidth={1.6} aria-hidden className="mb-1 text-muted" />
          <span className="font-medium break-all">
            {file === null ? 'Choose a JSONL file, or drop it here' : file.name}
          </span>
          <span className="num text-xs text-muted">
            {file === null ? 'Up to 2 GB and a million lines' : `${bytes(file.size)}. Choose another one`}
          </span>
          <input
            type="file"
            data-autofocus
            aria-label="JSONL file"
            accept=".jsonl,.ndjson,.json,.txt"
            className="sr-only"
            disabled={submit.isPending}
            onChange={(event) => choose(event.target.files?.[0])}
          />
        </label>
        {preview?.fault !== undefined && <ErrorNote error={new Error(preview.fault)} />}
        {preview?.fault === undefined && preview !== null && (
          <p className="text-muted">
            The first line is for <span className="font-medium text-text">{preview.model ?? 'a model of its own'}</span>{' '}
            at <span className="font-mono text-xs text-text">{preview.endpoint}</span>.
          </p>
        )}
        {file === null && (
          <details>
            <summary className="font-medium">The form of a line</summary>
            <div className="mt-2">
              <Code label="A line" text={EXAMPLE} />
            </div>
          </details>
        )}
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label="Ends within" hint="Requests that have not ended by then expire.">
            {(id, describedBy) => (
              <Select
                id={id}
                aria-describedby={describedBy}
                className="w-full"
                value={completionWindow}
                onChange={(event) => setWindow(event.target.value)}
              >
                {WINDOWS.map((each) => (
                  <option key={each}>{each}</option>
                ))}
              </Select>
            )}
          </Field>
          <Field label="Price" hint="Models without the tier run at the list price.">
            {(id, describedBy) => (
              <Select
                id={id}
                aria-describedby={describedBy}
                className="w-full"
                value={pricing}
                onChange={(event) => setPricing(PRICING.find(([each]) => each === event.target.value)?.[0] ?? 'live')}
              >
                {PRICING.map(([each, text]) => (
                  <option key={each} value={each}>
                    {text}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        </div>
        {submit.isPending && file !== null && (
          <div role="status">
            <p className="num mb-1 text-xs text-muted">
              {sent < file.size
                ? `${bytes(sent)} of ${bytes(file.size)} uploaded`
                : 'Uploaded. The batch is being made'}
            </p>
            <Meter value={sent} max={file.size} label="Uploaded" tone="accent" />
          </div>
        )}
        {submit.error !== null && <ErrorNote error={submit.error} />}
      </div>
    </Dialog>
  );
}
