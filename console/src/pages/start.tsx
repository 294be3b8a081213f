import { type ReactNode, useState } from 'react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Check, FlaskConical, KeyRound } from 'lucide-react';
import { api, bodyOf, errorOf, unsafeHeaders } from '../api/client';
import { useSession } from '../api/session';
import { milliseconds } from '../format';
import { Button, Card, Code, ErrorNote, Field, Input, PageHeader, Skeleton } from '../ui/basics';
import { ProviderStep } from './start-provider';
import { CLIENTS, trialBody, type ClientSetup } from './snippets';

const SANDBOX = 'sandbox/echo';

/** The model that is tried until another is typed: the sandbox's, which is off where there are providers, or a small one. */
function firstModel(ids: readonly string[]): string {
  if (ids.length === 0 || ids.includes(SANDBOX)) return SANDBOX;
  const isSmall = (id: string): boolean =>
    /mini|nano|flash|haiku|small|8b/.test(id) && !/audio|tts|image|embed|realtime/.test(id);
  return ids.find(isSmall) ?? ids[0] ?? SANDBOX;
}

/** From nothing to a response in one's own client. */
export function Start() {
  const isAdmin = useSession().role === 'admin';
  const [typed, setModel] = useState<string>();
  const [key, setKey] = useState('');
  const models = useQuery({ queryKey: ['models'], queryFn: () => bodyOf(api.GET('/v1/models')) });
  const ids = models.data?.data.map(({ id }) => id) ?? [];
  const model = typed ?? firstModel(ids);
  const providers = useQuery({
    queryKey: ['providers'],
    queryFn: () => bodyOf(api.GET('/v1/admin/providers')),
    enabled: isAdmin,
  });
  return (
    <>
      <PageHeader
        title={isAdmin ? 'First run' : 'Connect a client'}
        about="Three steps to a response in your own client. The models of the sandbox need no provider: to try them, begin with the second step."
      />
      {isAdmin && providers.isPending ? (
        // The first step is as long as the list of providers, so the others wait for it.
        <div role="status" aria-label="Loading" className="space-y-4">
          <Skeleton className="h-52 w-full rounded-lg" />
          <Skeleton className="h-44 w-full rounded-lg" />
          <Skeleton className="h-72 w-full rounded-lg" />
        </div>
      ) : (
        <ol className="space-y-4">
          {isAdmin && (
            <Step number={1} title="A provider">
              {providers.error !== null ? (
                <ErrorNote error={providers.error} onRetry={() => void providers.refetch()} />
              ) : (
                <ProviderStep providers={providers.data?.data ?? []} />
              )}
            </Step>
          )}
          <Step number={isAdmin ? 2 : 1} title="A model">
            <ModelStep ids={ids} model={model} onModel={setModel} />
          </Step>
          <Step number={isAdmin ? 3 : 2} title="A client">
            <ClientStep model={model} value={key} onKey={setKey} isAdmin={isAdmin} />
          </Step>
        </ol>
      )}
    </>
  );
}

function Step({
  number,
  title,
  children,
}: {
  readonly number: number;
  readonly title: string;
  readonly children: ReactNode;
}) {
  return (
    <li>
      <Card
        title={
          <span className="flex items-center gap-2.5">
            <span className="num grid size-6 place-items-center rounded-full bg-accent-soft text-xs font-semibold text-accent-strong">
              {number}
            </span>
            {title}
          </span>
        }
      >
        {children}
      </Card>
    </li>
  );
}

interface TrialResult {
  readonly text: string;
  readonly took: number;
}

/** Sends a small request. @param key of the client; without one, that of this session */
async function tryOut(path: ClientSetup['path'], model: string, key: string): Promise<TrialResult> {
  const started = performance.now();
  const body = JSON.stringify(trialBody(path, model));
  let response: Response;
  if (key === '') {
    response = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...unsafeHeaders() },
      body,
    });
  } else {
    response = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body,
      credentials: 'omit',
    });
  }
  if (!response.ok) throw await errorOf(response);
  return { text: textOf(await response.json()), took: performance.now() - started };
}

interface AnyResponse {
  readonly choices?: readonly { readonly message?: { readonly content?: string | null } }[];
  readonly content?: readonly { readonly text?: string }[];
  readonly output?: readonly { readonly content?: readonly { readonly text?: string }[] }[];
}

function textOf(body: unknown): string {
  const { choices, content, output } = body as AnyResponse;
  return (
    choices?.[0]?.message?.content ??
    content?.map(({ text }) => text ?? '').join('') ??
    output
      ?.flatMap((item) => item.content ?? [])
      .map(({ text }) => text ?? '')
      .join('') ??
    ''
  );
}

function TrialLine({
  trial,
}: {
  readonly trial: { readonly isPending: boolean; readonly error: Error | null; readonly data: TrialResult | undefined };
}) {
  return (
    <div className="min-h-[1.375rem]">
      {trial.isPending ? (
        <p role="status" className="text-muted">
          Waiting for the response
        </p>
      ) : trial.error !== null ? (
        <ErrorNote error={trial.error} />
      ) : trial.data === undefined ? null : (
        <p role="status" className="flex gap-2 text-good">
          <Check size={16} className="mt-0.5 shrink-0" aria-hidden />
          <span className="min-w-0 break-words">
            It works, in {milliseconds(trial.data.took)}:{' '}
            <span className="text-text">{trial.data.text.slice(0, 200)}</span>
          </span>
        </p>
      )}
    </div>
  );
}

function ModelStep({
  ids,
  model,
  onModel,
}: {
  readonly ids: readonly string[];
  readonly model: string;
  readonly onModel: (model: string) => void;
}) {
  const trial = useMutation({ mutationFn: () => tryOut('/v1/chat/completions', model, '') });
  return (
    <div className="space-y-3">
      <div className="flex flex-wrap items-end gap-2">
        <div className="w-full max-w-80">
          <Field label="Model" hint={`${ids.length} to choose from`}>
            {(id, describedBy) => (
              <Input
                id={id}
                aria-describedby={describedBy}
                list="all-models"
                value={model}
                onChange={(event) => onModel(event.target.value)}
              />
            )}
          </Field>
          <datalist id="all-models">
            {ids.map((id) => (
              <option key={id} value={id} />
            ))}
          </datalist>
        </div>
        <Button icon={FlaskConical} className="mb-[1.375rem]" busy={trial.isPending} onClick={() => trial.mutate()}>
          Say hello
        </Button>
      </div>
      <TrialLine trial={trial} />
    </div>
  );
}

interface ClientStepProps {
  readonly model: string;
  readonly value: string;
  readonly onKey: (key: string) => void;
  readonly isAdmin: boolean;
}
function ClientStep({ model, value: key, onKey, isAdmin }: ClientStepProps) {
  const [chosen, setChosen] = useState('curl');
  const client = CLIENTS.find(({ id }) => id === chosen) ?? CLIENTS[0];
  const create = useMutation({
    mutationFn: () => bodyOf(api.POST('/v1/admin/keys', { body: { name: 'First client', scopes: ['inference'] } })),
    onSuccess: (made) => onKey(made.key),
  });
  const trial = useMutation({ mutationFn: (path: ClientSetup['path']) => tryOut(path, model, key.trim()) });
  if (client === undefined) return null;
  return (
    <div className="space-y-4">
      <div className="flex flex-wrap items-end gap-2">
        <div className="w-full max-w-md">
          <Field label="Key of the client" hint="It stays in this page alone, and is gone when you leave it.">
            {(id, describedBy) => (
              <Input
                id={id}
                aria-describedby={describedBy}
                className="font-mono"
                spellCheck={false}
                autoComplete="off"
                placeholder="Paste a key"
                value={key}
                onChange={(event) => onKey(event.target.value)}
              />
            )}
          </Field>
        </div>
        {isAdmin && (
          <Button icon={KeyRound} className="mb-[1.375rem]" busy={create.isPending} onClick={() => create.mutate()}>
            Create one
          </Button>
        )}
      </div>
      {create.error !== null && <ErrorNote error={create.error} />}
      <div role="tablist" aria-label="Client" className="flex flex-wrap gap-1">
        {CLIENTS.map(({ id, name }) => (
          <button
            key={id}
            type="button"
            role="tab"
            id={`tab-${id}`}
            aria-selected={id === chosen}
            aria-controls="client-panel"
            onClick={() => {
              setChosen(id);
              trial.reset();
            }}
            className={`h-8 rounded-md px-3 text-sm font-medium ${id === chosen ? 'bg-raised' : 'text-muted hover:text-text'}`}
          >
            {name}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="client-panel" aria-labelledby={`tab-${chosen}`} className="space-y-3">
        <p className="text-muted">{client.where}</p>
        <Code
          label={`Set up ${client.name}`}
          text={client.snippet(key.trim() === '' ? 'GATEWAY_KEY' : key.trim(), model)}
        />
        <div className="flex flex-wrap items-center gap-3">
          <Button
            icon={FlaskConical}
            variant="primary"
            busy={trial.isPending}
            onClick={() => trial.mutate(client.path)}
          >
            Test it
          </Button>
          <span className="text-muted">
            Sends the request of this client to {client.path}
            {key.trim() === '' ? ', with your session' : ', with this key'}.
          </span>
        </div>
        <TrialLine trial={trial} />
      </div>
    </div>
  );
}
