import { useState } from 'react';
import { useQuery } from '@tanstack/react-query';
import { api, bodyOf, type Schemas } from '../api/client';
import { Badge, Button, Code, ErrorNote, Facts, Skeleton } from '../ui/basics';
import type { UsageRecord } from './requests';

const json = (value: unknown): string => JSON.stringify(value, null, 2);

/** What the request log has of a request. The content is read when it is asked for, because the audit log records that. */
export function RequestContent({ record }: { readonly record: UsageRecord }) {
  const [isOpen, setOpen] = useState(false);
  const { request_id: requestId, key_id: keyId } = record;
  const entries = useQuery({
    queryKey: ['request-log', requestId],
    queryFn: () =>
      bodyOf(
        api.GET('/v1/admin/request-log', { params: { query: { request_id: requestId, key_id: keyId, limit: 1 } } }),
      ),
  });
  const entry = entries.data?.data[0];
  const content = useQuery({
    queryKey: ['request-log', 'content', entry?.id],
    enabled: isOpen && entry !== undefined,
    queryFn: () => bodyOf(api.GET('/v1/admin/request-log/{id}', { params: { path: { id: entry?.id ?? '' } } })),
    // A second look within the page is no second read.
    staleTime: Infinity,
    gcTime: 0,
  });
  const error = entries.error ?? content.error;
  if (error !== null) return <ErrorNote error={error} />;
  if (entries.data === undefined) return <Skeleton className="h-8 w-full" />;
  if (entry === undefined) {
    return (
      <p className="text-muted">
        The request log has no entry of it: it is off for the key, as it is unless the key has{' '}
        <code className="font-mono text-xs">request_log</code>, or the entry was deleted.
      </p>
    );
  }
  if (!isOpen) {
    return (
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <Button onClick={() => setOpen(true)}>Show the content</Button>
        <p className="text-muted">The audit log records who reads it.</p>
      </div>
    );
  }
  if (content.data === undefined) return <Skeleton className="h-40 w-full" />;
  return <Content record={record} content={content.data} />;
}

interface ContentProps {
  readonly record: UsageRecord;
  readonly content: Schemas['RequestLogContent'];
}
function Content({ record, content }: ContentProps) {
  const dropped = content.dropped_params;
  return (
    <div className="space-y-5">
      <section>
        <h4 className="mb-2 font-medium">Client sent</h4>
        <Code label="What the client sent" text={json(content.request)} />
      </section>
      <section>
        <h4 className="mb-2 font-medium">Gateway sent</h4>
        <Facts
          rows={[
            ['To', record.provider ?? 'No provider'],
            ['Model', record.upstream_model ?? '–'],
            [
              'Left out',
              dropped.length === 0 ? (
                'Nothing'
              ) : (
                <span key="dropped" className="inline-flex flex-wrap justify-end gap-1.5">
                  {dropped.map((name) => (
                    <Badge key={name} tone="warn">
                      {name}
                    </Badge>
                  ))}
                </span>
              ),
            ],
          ]}
        />
        <p className="mt-2 text-xs text-muted">
          The body that the gateway wrote for the provider is not kept. It is what the client sent, in the format of the
          provider, with this model and without what is named here.
        </p>
      </section>
      <section>
        <h4 className="mb-2 font-medium">Provider returned</h4>
        {content.answer === null ? (
          <p className="text-muted">Nothing was received.</p>
        ) : (
          <>
            <Code label="What the provider returned" text={json(content.answer)} />
            <p className="mt-2 text-xs text-muted">
              As the gateway read it, with streams merged. The bytes of the provider are not kept.
            </p>
          </>
        )}
        {content.usage !== null && (
          <div className="mt-3">
            <Code label="Usage as the provider reported it" text={json(content.usage)} />
          </div>
        )}
      </section>
      {content.error !== null && (
        <section>
          <h4 className="mb-2 font-medium">Client received</h4>
          <Code label="The error that the client received" text={json(content.error)} />
        </section>
      )}
    </div>
  );
}
