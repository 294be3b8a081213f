import { useEffect, useRef, useState } from 'react';
import { useQuery } from '@tanstack/react-query';
import { Code2, Columns2, Eraser, Send, Square } from 'lucide-react';
import { streamChat, type ChatMessage, type ChatProgress } from '../api/chat-stream';
import { api, ApiError, bodyOf } from '../api/client';
import { milliseconds, usd } from '../format';
import { Badge, Button, Code, CopyButton, ErrorNote, Field, Input, PageHeader, Segmented } from '../ui/basics';
import { Dialog } from '../ui/dialog';
import { useFilters } from '../ui/filters';
import { notify } from '../ui/toast';
import { codeFor, LANGUAGES, type Language } from './snippets';

/** Milliseconds of a stream below which a rate of tokens says nothing. */
const MIN_RATE_MS = 200;

const EXAMPLE_TOOL = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather of a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

interface Settings {
  readonly system: string;
  readonly temperature: string;
  readonly maxTokens: string;
  readonly hasTool: boolean;
}

function requestOf(model: string, messages: readonly ChatMessage[], settings: Settings): object {
  return {
    model,
    messages: settings.system === '' ? messages : [{ role: 'system', content: settings.system }, ...messages],
    ...(settings.temperature !== '' && { temperature: Number(settings.temperature) }),
    ...(settings.maxTokens !== '' && { max_tokens: Number(settings.maxTokens) }),
    ...(settings.hasTool && { tools: [EXAMPLE_TOOL] }),
  };
}

export function Playground() {
  const [search, change] = useFilters();
  const first = search['model'] ?? 'sandbox/echo';
  const second = search['compare'];
  const models = useQuery({ queryKey: ['models'], queryFn: () => bodyOf(api.GET('/v1/models')) });
  const [settings, setSettings] = useState<Settings>({ system: '', temperature: '', maxTokens: '', hasTool: false });
  const [text, setText] = useState('');
  const [sent, setSent] = useState<{ readonly id: number; readonly text: string } | null>(null);
  const [round, setRound] = useState(0);
  const [code, setCode] = useState(false);
  const ids = models.data?.data.map(({ id }) => id) ?? [];
  const send = (): void => {
    if (text.trim() === '') return;
    setSent({ id: (sent?.id ?? 0) + 1, text });
    setText('');
  };
  const lanes = second === undefined ? [first] : [first, second];
  return (
    <div className="flex min-h-[calc(100dvh-7rem)] flex-col">
      <PageHeader title="Playground" about="Chat with any model; its requests count as those of your key.">
        <Button
          icon={Columns2}
          aria-pressed={second !== undefined}
          onClick={() =>
            change({ compare: second === undefined ? (ids.find((id) => id !== first) ?? first) : undefined })
          }
        >
          {second === undefined ? 'Compare two' : 'One model'}
        </Button>
        <Button icon={Code2} onClick={() => setCode(true)}>
          Copy as code
        </Button>
        <Button
          icon={Eraser}
          onClick={() => {
            setRound(round + 1);
            setSent(null);
          }}
        >
          New chat
        </Button>
      </PageHeader>
      <datalist id="models">
        {ids.map((id) => (
          <option key={id} value={id} />
        ))}
      </datalist>
      <div className={`mb-4 grid flex-1 gap-4 ${second === undefined ? '' : 'md:grid-cols-2'}`}>
        {lanes.map((model, lane) => (
          <Lane
            key={`${lane} ${round}`}
            model={model}
            label={lane === 0 ? 'Model' : 'Second model'}
            isAlone={second === undefined}
            onModel={(value) => change(lane === 0 ? { model: value } : { compare: value })}
            settings={settings}
            sent={sent}
            pricing={models.data?.data.find(({ id }) => id === model)?.pricing}
          />
        ))}
      </div>
      <details className="card mb-3 px-4 py-2.5">
        <summary className="font-medium">Settings</summary>
        <div className="mt-3 grid gap-4 pb-2 sm:grid-cols-[2fr_1fr_1fr_auto]">
          <Field label="System prompt">
            {(id) => (
              <Input
                id={id}
                value={settings.system}
                onChange={(event) => setSettings({ ...settings, system: event.target.value })}
              />
            )}
          </Field>
          <Field label="Temperature">
            {(id) => (
              <Input
                id={id}
                type="number"
                min={0}
                max={2}
                step={0.1}
                placeholder="Default"
                value={settings.temperature}
                onChange={(event) => setSettings({ ...settings, temperature: event.target.value })}
              />
            )}
          </Field>
          <Field label="Most tokens">
            {(id) => (
              <Input
                id={id}
                type="number"
                min={1}
                placeholder="Default"
                value={settings.maxTokens}
                onChange={(event) => setSettings({ ...settings, maxTokens: event.target.value })}
              />
            )}
          </Field>
          <label className="flex items-center gap-2 self-end pb-1.5">
            <input
              type="checkbox"
              className="accent-(--accent)"
              checked={settings.hasTool}
              onChange={(event) => setSettings({ ...settings, hasTool: event.target.checked })}
            />
            Offer a tool
          </label>
        </div>
      </details>
      <form
        className="card sticky bottom-4 flex items-end gap-2 p-2 shadow-over"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <textarea
          data-filter
          aria-label="Message"
          placeholder="Write a message. Enter sends it, Shift and Enter begins a line."
          rows={Math.min(8, Math.max(1, text.split('\n').length))}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
              event.preventDefault();
              send();
            }
          }}
          className="w-full resize-none bg-transparent px-2 py-1.5 outline-none placeholder:text-muted"
        />
        <Button type="submit" variant="primary" icon={Send} disabled={text.trim() === ''}>
          Send
        </Button>
      </form>
      {code && (
        <CodeDialog
          request={requestOf(
            first,
            [{ role: 'user', content: text === '' ? (sent?.text ?? 'Hello') : text }],
            settings,
          )}
          onClose={() => setCode(false)}
        />
      )}
    </div>
  );
}

interface LaneProps {
  readonly model: string;
  readonly label: string;
  readonly isAlone: boolean;
  readonly onModel: (model: string) => void;
  readonly settings: Settings;
  readonly sent: { readonly id: number; readonly text: string } | null;
  readonly pricing: { readonly prompt: string; readonly completion: string } | undefined;
}

/** One model with its own conversation. */
function Lane({ model, label, isAlone, onModel, settings, sent, pricing }: LaneProps) {
  const [messages, setMessages] = useState<readonly ChatMessage[]>([]);
  const [progress, setProgress] = useState<ChatProgress | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const [view, setView] = useState<'chat' | 'events'>('chat');
  const abort = useRef<AbortController | null>(null);
  const lastSent = useRef(0);

  useEffect(() => () => abort.current?.abort(), []);
  useEffect(() => {
    if (sent === null || sent.id === lastSent.current) return;
    lastSent.current = sent.id;
    abort.current?.abort();
    const controller = new AbortController();
    abort.current = controller;
    const asked: readonly ChatMessage[] = [...messages, { role: 'user', content: sent.text }];
    setMessages(asked);
    setProgress(null);
    setError(null);
    setBusy(true);
    streamChat(requestOf(model, asked, settings), controller.signal, setProgress)
      .then((whole) => setMessages([...asked, { role: 'assistant', content: whole.text }]))
      .catch((failure: unknown) => {
        if (!controller.signal.aborted) setError(failure);
      })
      .finally(() => {
        if (abort.current === controller) setBusy(false);
      });
    // A message is sent once, with what holds at that moment.
  }, [sent]);

  const shown = isBusy || error !== null || messages.at(-1)?.role === 'user' ? messages : messages.slice(0, -1);
  const usage = progress?.usage ?? null;
  const cost =
    usage === null || pricing === undefined
      ? null
      : usage.prompt_tokens * Number(pricing.prompt) + usage.completion_tokens * Number(pricing.completion);
  return (
    <section className="card flex min-h-72 min-w-0 flex-col" aria-label={model}>
      <div className="flex flex-wrap items-center gap-2 border-b border-line p-2">
        <Input
          list="models"
          aria-label={label}
          className="max-w-72 flex-1 font-medium"
          defaultValue={model}
          key={model}
          onBlur={(event) => {
            if (event.target.value !== model && event.target.value !== '') onModel(event.target.value);
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && event.currentTarget.value !== '') onModel(event.currentTarget.value);
          }}
        />
        <Segmented
          label="View"
          value={view}
          options={[
            ['chat', 'Chat'],
            ['events', 'Raw events'],
          ]}
          onChange={setView}
        />
        {isBusy && (
          <Button
            icon={Square}
            className="ml-auto"
            onClick={() => {
              abort.current?.abort();
              setBusy(false);
            }}
          >
            Stop
          </Button>
        )}
      </div>
      <div className="flex-1 space-y-4 overflow-x-hidden p-4" aria-live="polite" aria-busy={isBusy}>
        {view === 'events' ? (
          progress === null ? (
            <p className="text-muted">Events of the next response appear here as they arrive.</p>
          ) : (
            <Code label="Raw events" text={progress.events.join('\n')} />
          )
        ) : messages.length === 0 ? (
          <p className="text-muted">{isAlone ? 'Say something to begin.' : 'Both models get the same message.'}</p>
        ) : (
          <>
            {shown.map((message, index) => (
              <Message key={index} message={message} />
            ))}
            {progress !== null && (
              <div>
                {progress.reasoning !== '' && (
                  <details className="mb-2 text-muted">
                    <summary>Reasoning</summary>
                    <p className="mt-1 whitespace-pre-wrap">{progress.reasoning}</p>
                  </details>
                )}
                <Message message={{ role: 'assistant', content: progress.text }} />
                {progress.toolCalls.map((call, index) => (
                  <div key={index} className="mt-2">
                    <Code label={`Call of ${call.name}`} text={`${call.name}(${call.arguments})`} />
                  </div>
                ))}
              </div>
            )}
            {isBusy && progress === null && <p className="text-muted">Waiting for the first token</p>}
            {error !== null && <ErrorNote error={error} />}
          </>
        )}
      </div>
      {progress !== null && (
        <div className="num flex flex-wrap items-center gap-x-4 gap-y-1 border-t border-line px-4 py-2 text-xs text-muted">
          <span>First token {milliseconds(progress.firstTokenMs)}</span>
          <span>Total {milliseconds(progress.totalMs)}</span>
          {usage !== null && (
            <span>
              {usage.prompt_tokens} → {usage.completion_tokens} tokens
            </span>
          )}
          {usage !== null &&
            progress.totalMs > (progress.firstTokenMs ?? 0) + MIN_RATE_MS &&
            usage.completion_tokens > 1 && (
              <span>
                {Math.round(usage.completion_tokens / ((progress.totalMs - (progress.firstTokenMs ?? 0)) / 1_000))}{' '}
                tokens/s
              </span>
            )}
          {cost !== null && <span>{usd(cost)}</span>}
          {progress.provider !== null && <span>{progress.provider}</span>}
          {progress.attempts !== null && progress.attempts !== '1' && (
            <Badge tone="warn">{progress.attempts} attempts</Badge>
          )}
          {progress.finish !== null && <Badge>{progress.finish}</Badge>}
          {progress.requestId !== null && (
            <span className="font-mono">
              {progress.requestId} <CopyButton text={progress.requestId} label="Copy the request id" />
            </span>
          )}
        </div>
      )}
      {error instanceof ApiError && error.code === 'model_not_found' && (
        <p className="border-t border-line px-4 py-2 text-xs text-muted">
          Choose a model of the list, or add it to gateway.yaml.
        </p>
      )}
    </section>
  );
}

function Message({ message }: { readonly message: ChatMessage }) {
  const isUser = message.role === 'user';
  return (
    <div className={isUser ? 'flex justify-end' : ''}>
      <div
        className={`max-w-[46rem] break-words whitespace-pre-wrap ${isUser ? 'rounded-xl bg-raised px-3.5 py-2' : ''}`}
      >
        {message.content}
      </div>
    </div>
  );
}

function CodeDialog({ request, onClose }: { readonly request: object; readonly onClose: () => void }) {
  const [language, setLanguage] = useState<Language>('curl');
  const text = codeFor(language, request);
  return (
    <Dialog
      title="This request as code"
      onClose={onClose}
      footer={
        <Button
          variant="primary"
          onClick={() =>
            void navigator.clipboard.writeText(text).then(() => {
              notify('The code is copied.');
              onClose();
            })
          }
        >
          Copy
        </Button>
      }
    >
      <div className="mb-3">
        <Segmented label="Language" value={language} options={LANGUAGES} onChange={setLanguage} />
      </div>
      <Code label="Code" text={text} />
      <p className="mt-3 text-muted">Replace GATEWAY_KEY by a key of yours.</p>
    </Dialog>
  );
}
