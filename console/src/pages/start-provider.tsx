import { useEffect, useRef, useState } from 'react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Check, FlaskConical, Plus } from 'lucide-react';
import { withProviderEntry } from '../../../src/config/editing/provider-entry';
import { api, bodyOf, type Schemas } from '../api/client';
import { milliseconds } from '../format';
import { Button, Code, ErrorNote, Field, Input, Select, Skeleton } from '../ui/basics';
import { refreshConfiguration, tellApplied } from './configuration-editor';
import { ProviderList } from './models';

type KnownProvider = Schemas['KnownProvider'];

/** Providers that are set up, and a form for the key of another one. */
export function ProviderStep({ providers }: { readonly providers: readonly Schemas['Provider'][] }) {
  const real = providers.filter(({ type }) => type !== 'sandbox');
  // It stays open when the provider that was added is there.
  const [isOpen, setOpen] = useState(real.length === 0);
  const known = useQuery({
    queryKey: ['known-providers'],
    queryFn: () => bodyOf(api.GET('/v1/admin/known-providers')),
  });
  return (
    <div className="space-y-4">
      {real.length > 0 && (
        <>
          <p className="text-muted">These are set up. A test asks the real provider with its key.</p>
          <ProviderList providers={providers} />
        </>
      )}
      <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary className="font-medium">Add a provider</summary>
        <div className="mt-3">
          {known.error !== null ? (
            <ErrorNote error={known.error} onRetry={() => void known.refetch()} />
          ) : known.data === undefined ? (
            <Skeleton className="h-14 w-full" />
          ) : (
            <KeyForm known={known.data.data} />
          )}
        </div>
      </details>
    </div>
  );
}

function KeyForm({ known }: { readonly known: readonly KnownProvider[] }) {
  const [name, setName] = useState(known.find((each) => each.name === 'openai')?.name ?? known[0]?.name ?? '');
  const [key, setKey] = useState('');
  const [model, setModel] = useState('');
  const provider = known.find((each) => each.name === name);
  const test = useMutation({
    mutationFn: () =>
      bodyOf(
        api.POST('/v1/admin/known-providers/{name}/test', {
          params: { path: { name } },
          body: { api_key: key.trim(), ...(provider?.test_needs_model === true && { model: model.trim() }) },
        }),
      ),
  });
  if (provider === undefined) return null;
  const result = test.data;
  return (
    <div className="space-y-3">
      <form
        className="flex flex-wrap items-end gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          test.mutate();
        }}
      >
        <Field label="Provider" hint="Other servers: in gateway.yaml.">
          {(id, describedBy) => (
            <Select
              id={id}
              aria-describedby={describedBy}
              className="w-52"
              value={name}
              onChange={(event) => {
                setName(event.target.value);
                test.reset();
              }}
            >
              {known.map((each) => (
                <option key={each.name} value={each.name}>
                  {each.title}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <div className="w-full max-w-80">
          <Field
            label="Key of the provider"
            hint="Sent to the address of the provider alone; the test does not store it."
          >
            {(id, describedBy) => (
              <Input
                id={id}
                aria-describedby={describedBy}
                type="password"
                className="font-mono"
                autoComplete="off"
                spellCheck={false}
                required
                value={key}
                onChange={(event) => {
                  setKey(event.target.value);
                  test.reset();
                }}
              />
            )}
          </Field>
        </div>
        {provider.test_needs_model && (
          <div className="w-full max-w-56">
            <Field label="Model to test it with" hint="Its list of models cannot test a key.">
              {(id, describedBy) => (
                <Input
                  id={id}
                  aria-describedby={describedBy}
                  required
                  spellCheck={false}
                  value={model}
                  onChange={(event) => {
                    setModel(event.target.value);
                    test.reset();
                  }}
                />
              )}
            </Field>
          </div>
        )}
        <Button type="submit" changes icon={FlaskConical} className="mb-[1.375rem]" busy={test.isPending}>
          Test the key
        </Button>
      </form>
      {test.error !== null && <ErrorNote error={test.error} />}
      <div role="status" className="min-h-[1.375rem]">
        {test.isPending && <p className="text-muted">Asking {provider.title}</p>}
        {result?.ok === false && <p className="break-words text-bad">{result.error?.message ?? 'It failed.'}</p>}
        {result?.ok === true && (
          <p className="flex gap-2 text-good">
            <Check size={16} className="mt-0.5 shrink-0" aria-hidden />
            The key works: {milliseconds(result.latency_ms)}
            {result.model_count !== null && `, ${result.model_count} models`}.
          </p>
        )}
      </div>
      {result?.ok === true && <SwitchOn provider={provider} apiKey={key.trim()} />}
    </div>
  );
}

/** A text as one word of a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** How a provider whose key works becomes a part of the configuration. */
function SwitchOn({ provider, apiKey }: { readonly provider: KnownProvider; readonly apiKey: string }) {
  const queries = useQueryClient();
  const { data: configuration, error } = useQuery({
    queryKey: ['configuration'],
    queryFn: () => bodyOf(api.GET('/v1/admin/configuration')),
  });
  const done = useRef<HTMLParagraphElement>(null);
  const add = useMutation({
    mutationFn: async () => {
      const file = await bodyOf(api.GET('/v1/admin/configuration/file'));
      const text = withProviderEntry(file.text, provider.name, apiKey);
      if (text === undefined) throw new Error('gateway.yaml has no place for it. Add it in Configuration, Edit.');
      const body = { text, version: file.version, note: `${provider.title} added by the first run` };
      return bodyOf(api.PUT('/v1/admin/configuration/file', { body }));
    },
    onSuccess: async (applied) => {
      tellApplied(applied);
      await refreshConfiguration(queries);
    },
  });
  // The button that had the focus is gone.
  useEffect(() => {
    if (add.isSuccess) done.current?.focus();
  }, [add.isSuccess]);
  if (error !== null) return <ErrorNote error={error} />;
  if (configuration === undefined) return null;
  if (add.isSuccess || provider.is_set_up) {
    return (
      <p ref={done} tabIndex={-1} className="text-muted">
        {provider.title} is set up. Its models are called {provider.name}/…; choose one below.
      </p>
    );
  }
  if (configuration.editable) {
    return (
      <div className="space-y-3">
        {add.error !== null && <ErrorNote error={add.error} />}
        <Button variant="primary" changes icon={Plus} busy={add.isPending} onClick={() => add.mutate()}>
          Add {provider.title} to gateway.yaml
        </Button>
      </div>
    );
  }
  const command = (value: string): string => `${provider.key_variable}=${value} npm start`;
  return (
    <div className="space-y-2">
      <p className="text-muted">Start the gateway with this variable, and {provider.title} is switched on:</p>
      <Code label="Command" text={command('•'.repeat(12))} copied={command(quoted(apiKey))} />
      <p className="text-xs text-muted">
        The copy has your key. With <code className="font-mono">config.editable: true</code> in gateway.yaml, this page
        adds it without a restart.
      </p>
    </div>
  );
}
