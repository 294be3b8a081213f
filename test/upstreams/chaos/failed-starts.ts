import { setTimeout as pause } from 'node:timers/promises';
import type { Fault } from './faults.js';
import { FORMS } from './provider-forms.js';
import type { Serving } from './chaos-provider.js';

/** Longer than any timeout of the run. */
const SILENCE_MS = 20_000;

interface FailedStart {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Undefined for the error in the form of the provider. */
  readonly body?: string;
}

const FAILED: Partial<Record<Fault, FailedStart>> = {
  '429': { status: 429 },
  '429 with retry-after': { status: 429, headers: { 'retry-after': '1' } },
  '500': { status: 500 },
  '503': { status: 503 },
  'refused by content policy': { status: 400 },
  HTML: { status: 200, headers: { 'content-type': 'text/html' }, body: '<!doctype html><h1>Welcome</h1>' },
  'wrong content type': {
    status: 200,
    headers: { 'content-type': 'application/octet-stream' },
    body: 'PK\u0003\u0004',
  },
  'empty body': { status: 200, body: '' },
  'error with status 200': { status: 200 },
};

const MESSAGES: Partial<Record<Fault, string>> = {
  '429': 'Rate limit reached for requests.',
  '429 with retry-after': 'Rate limit reached for requests.',
  'refused by content policy': 'Your request was rejected as a result of our safety system.',
};

/** Faults before the first content. @returns whether the request has its response, or none */
export async function beforeResponse({ response, attempt, options, right }: Serving): Promise<boolean> {
  const { fault } = attempt;
  const { format } = FORMS[options.form];
  const failed = FAILED[fault];
  if (failed !== undefined) {
    const { status, headers, body } = failed;
    const message = MESSAGES[fault] ?? 'The server had an error.';
    const error = format.error(status === 200 ? 500 : status, message);
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body ?? JSON.stringify(error));
    return true;
  }
  switch (fault) {
    case 'reset before headers':
      response.socket?.resetAndDestroy();
      return true;
    case 'reset after headers':
      attempt.promptTokens = right.usage.prompt;
      response.writeHead(200, { 'content-type': attempt.isStream ? 'text/event-stream' : 'application/json' });
      response.flushHeaders();
      await pause(2);
      response.socket?.resetAndDestroy();
      return true;
    case 'silent':
      await Promise.race([pause(SILENCE_MS, undefined, { ref: false }), closed(response)]);
      response.destroy();
      return true;
    default:
      return false;
  }
}

/** Resolves when the caller has gone or the response has ended. */
export function closed(response: Serving['response']): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed || response.writableFinished) resolve();
    else response.once('close', resolve);
  });
}
