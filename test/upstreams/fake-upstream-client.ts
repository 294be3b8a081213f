import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { noteProcess } from '../fixtures/started-processes.mjs';

/** A request as the fake upstream received it. */
export interface RecordedRequest {
  readonly id: number;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>> | null;
  readonly model: string | null;
  /** Number of the connection that it came on. */
  readonly socket: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** The caller went away before the answer was whole. */
  readonly aborted: boolean;
  /** Epoch milliseconds at which answer or connection ended; null while it is open. */
  readonly closedAt: number | null;
}

/** What the fake upstream would bill a completion for: its own book, whether or not the answer arrived. */
export interface BilledRequest {
  /** The `x-request-id` that it came with. */
  readonly request_id: string | null;
  readonly model: string | null;
  readonly user: string | null;
  /** From when it was at work; 0 for what it refused. */
  readonly prompt_tokens: number;
  /** Of what it has sent: of a stream each piece, of a plain answer all or nothing. */
  readonly completion_tokens: number;
}

/** What to do instead of what the model's name says. */
export interface ScriptStep {
  /** `status-500`, `echo?split=byte`, ... */
  readonly behaviour: string;
  /** Only for requests with this model. */
  readonly model?: string;
  /** How often; without end by default. Then the next step that fits. */
  readonly times?: number;
}

export interface FakeUpstream {
  /** Origin of the server. Any path that ends in `/models` lists models; every POST is a chat completion. */
  readonly url: string;
  readonly pid: number;
  requests(): Promise<RecordedRequest[]>;
  /** Every completion that was asked of it, refused ones as well. */
  tokenLog(): Promise<BilledRequest[]>;
  /** Connections that are open now. */
  openSockets(): Promise<number>;
  /** Connections that were ever opened. */
  socketsEver(): Promise<number>;
  /** Replaces the script. */
  script(steps: readonly ScriptStep[]): Promise<void>;
  /** Closes connections that wait for a next request. */
  closeIdle(): Promise<void>;
  /** From now on requests with the parameter `gate` wait, before the first byte of their response, until the gate opens; with `gate=end` before its end. */
  closeGate(): Promise<void>;
  openGate(): Promise<void>;
  /** Forgets requests and script, opens the gate, and closes every connection. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts an OpenAI-compatible server in a process of its own. What it does is chosen by the request's model, as
 * `behaviour?name=value&...`. Tokens are words, or with `tokens=o200k` what OpenAI counts.
 *
 * - `echo` (and every unknown name): the last user message, word by word in a stream. `split=byte|<n>`,
 *   `eol=crlf|cr`, `comments`, `bom`, `fields` (id, retry), `delay=<ms>` (per frame), `gate` (waits while the gate is
 *   closed; with `gate=end` before the chunk with the finish reason, the last one or the fault), `encoding=gzip|deflate|deflate-raw|br`,
 *   `without=<fields>` (`id,created,object,model,usage,finish_reason,role`), `role=null|missing|every`, `id=changing`,
 *   `usage=last|merged|every|none`, `finish=<reason>`, `finish-chunk=merged`, `done=missing`, `stream=ignored` (JSON
 *   although a stream was asked for), `type=<content-type>`, `linger=<ms>` (end of the body after `[DONE]`), `text=<text>`
 * - `tools`: calls every tool of the request, or two of its own. `index=missing|zero`, `ids=missing`, `names=repeated`
 * - `json-schema`: an instance of the request's schema; `received`: headers, url and body of the request as JSON
 * - `words?count=<n>&delay=<ms>`: slow tokens
 * - `stall`, `reset`, `close`, `truncate` with `at=headers|first|mid|json|finish|comments` (`length`: announce it)
 * - `status?code=<n>&body=openai|fastapi|context|quota|model|key|text|html|empty|stall&retry-after=<s>&retry-after-ms=<ms>`,
 *   or `status-<n>`
 * - `lie?with=error|html|empty|done|no-choices|text|json` (`type=json`): status 200 and no answer
 * - `error-event` (`named`, `code=<n>`), `malformed`, `huge-event?mb=<n>`, `endless?mb=<n>&kind=chunks|event|comments`,
 *   `bomb?mb=<n>`, `redirect?to=<url>`, `drop`
 * - `stale` (`reset`): answers once a connection, and breaks it when the next request is written to it
 */
export async function startFakeUpstream(): Promise<FakeUpstream> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./fake-upstream.mjs', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  noteProcess(child);
  const exited = once(child, 'exit');
  const failed = exited.then(([code]) => {
    throw new Error(`the fake upstream ended with code ${code} instead of listening`);
  });
  const listening = once(createInterface({ input: child.stdout }), 'line');
  const [line] = (await Promise.race([listening, failed])) as [string];
  failed.catch(() => undefined);
  const { url, control } = JSON.parse(line) as { url: string; control: string };

  async function ask(path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${control}${path}`, { method: 'POST', body: JSON.stringify(body ?? null) });
    return response.json();
  }
  async function sockets(): Promise<{ open: number; ever: number }> {
    return (await ask('/__sockets')) as { open: number; ever: number };
  }

  return {
    url,
    pid: child.pid ?? 0,
    requests: async () => (await ask('/__requests')) as RecordedRequest[],
    tokenLog: async () => (await ask('/__tokens')) as BilledRequest[],
    openSockets: async () => (await sockets()).open,
    socketsEver: async () => (await sockets()).ever,
    script: async (steps) => {
      await ask('/__script', steps);
    },
    closeIdle: async () => {
      await ask('/__close-idle');
    },
    closeGate: async () => {
      await ask('/__close-gate');
    },
    openGate: async () => {
      await ask('/__open-gate');
    },
    reset: async () => {
      await ask('/__reset');
    },
    stop: async () => {
      child.stdin.end();
      await exited;
    },
  };
}
