import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import type { RunningGateway } from './gateway.js';

/** Ids of the processes that a process has started and that run. */
export function childrenOf(pid: number): number[] {
  const lines = execFileSync('ps', ['-e', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' }).trim().split('\n');
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, state]) => Number(parent) === pid && state?.startsWith('Z') === false)
    .map(([id]) => Number(id));
}

/** Whether a process runs; one that has ended and that nobody has buried does not. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly body: { error?: { code: string; message: string } };
  readonly header: (name: string) => string;
}

/** A client whose every connection is its own. */
export class Client {
  private readonly dispatcher: Agent;

  /** @param connections most at once; a process gets every nth of them */
  constructor(
    private readonly gateway: () => RunningGateway,
    connections = 300,
  ) {
    this.dispatcher = new Agent({ connections, pipelining: 1 });
  }

  async chat(key: string, fields: object, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const messages = [{ role: 'user', content: 'one two three' }];
    return this.send('POST', '/v1/chat/completions', key, { max_tokens: 10, messages, ...fields }, headers);
  }

  async send(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    key: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const answer = await request(`${this.gateway().url}${path}`, {
      dispatcher: this.dispatcher,
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    return {
      status: answer.statusCode,
      text,
      body: (text.startsWith('{') ? JSON.parse(text) : {}) as Answer['body'],
      header: (name) => String(answer.headers[name] ?? ''),
    };
  }

  /** Asks over so many connections at once that every process is among those that answer. */
  async everywhere(path: string, key: string): Promise<Answer[]> {
    const ask = (): Promise<Answer> => this.send('GET', path, key, undefined, { connection: 'close' });
    return Promise.all(Array.from({ length: 12 }, ask));
  }

  close(): Promise<void> {
    return this.dispatcher.destroy();
  }
}

/** How many answers had which status. */
export function statuses(answers: readonly Answer[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** Lines of the log, as far as they are JSON and whole. */
export function logLines(gateway: RunningGateway): Record<string, unknown>[] {
  return gateway
    .logs()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
