import createClient, { type Middleware } from 'openapi-fetch';
import type { components, paths } from './schema';

/** The schemas of the API by name. */
export type Schemas = components['schemas'];

/** An error of the API, or of the way to it. */
export class ApiError extends Error {
  constructor(
    message: string,
    /** 0 where there was no response. */
    readonly status: number,
    readonly code: string | null,
    readonly param: string | null,
    readonly requestId: string | null,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

const SAFE = new Set(['GET', 'HEAD']);
let csrfToken = '';
let onSignedOut: () => void = () => undefined;

/** The token that every request but a GET carries. */
export function setCsrfToken(token: string): void {
  csrfToken = token;
}

/** @param listener called when a session turns out to have ended */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}

/** Headers of a request that is not a GET. */
export function unsafeHeaders(): Record<string, string> {
  return { 'x-csrf-token': csrfToken };
}

/** The error that a response tells. */
export async function errorOf(response: Response): Promise<ApiError> {
  const requestId = response.headers.get('x-request-id');
  const body: unknown = await response.json().catch(() => undefined);
  const error = (body as { error?: { message?: string; code?: string | null; param?: string | null } } | undefined)
    ?.error;
  const message = error?.message ?? `The gateway responded with status ${response.status}.`;
  return new ApiError(message, response.status, error?.code ?? null, error?.param ?? null, requestId);
}

const session: Middleware = {
  onRequest({ request }) {
    if (!SAFE.has(request.method)) request.headers.set('x-csrf-token', csrfToken);
    return request;
  },
  async onResponse({ response, request }) {
    if (response.ok) return response;
    if (response.status === 401 && !new URL(request.url).pathname.endsWith('/v1/session')) onSignedOut();
    throw await errorOf(response);
  },
  onError({ error }) {
    return error instanceof ApiError ? error : unreachable(error);
  },
};

function unreachable(cause: unknown): ApiError {
  const error = new ApiError('The gateway cannot be reached. Check that it is running.', 0, null, null, null);
  error.cause = cause;
  return error;
}

/** The API, typed by openapi.json: a path or field that is not in it does not compile. */
export const api = createClient<paths>({ baseUrl: location.origin, credentials: 'same-origin' });
api.use(session);

/** The body of a call that has succeeded; errors are thrown as ApiError. */
export async function bodyOf<Data>(call: Promise<{ data?: Data }>): Promise<Exclude<NonNullable<Data>, string>> {
  const { data } = await call;
  return data as Exclude<NonNullable<Data>, string>;
}

/** A request whose response is read as it arrives. */
export async function openStream(path: string, body: object, signal: AbortSignal): Promise<Response> {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...unsafeHeaders() },
    body: JSON.stringify(body),
    signal,
  });
  if (!response.ok) throw await errorOf(response);
  return response;
}

/**
 * Uploads a file. Unlike `fetch`, it reports how much is sent.
 *
 * @param onProgress gets the bytes so far
 */
export function uploadFile(file: File, purpose: 'batch', onProgress: (sent: number) => void): Promise<Schemas['File']> {
  const form = new FormData();
  form.append('purpose', purpose);
  form.append('file', file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', '/v1/files');
    for (const [name, value] of Object.entries(unsafeHeaders())) request.setRequestHeader(name, value);
    request.upload.addEventListener('progress', ({ loaded }) => onProgress(Math.min(loaded, file.size)));
    request.addEventListener('error', () => reject(unreachable(new Error('the upload failed'))));
    request.addEventListener('load', () => {
      onProgress(file.size);
      const response = new Response(request.responseText, {
        status: request.status,
        headers: { 'x-request-id': request.getResponseHeader('x-request-id') ?? '' },
      });
      if (response.ok) resolve(response.json() as Promise<Schemas['File']>);
      else if (request.status === 401) {
        onSignedOut();
        errorOf(response).then(reject, reject);
      } else errorOf(response).then(reject, reject);
    });
    request.send(form);
  });
}

/** Saves a list as CSV. */
export async function downloadCsv(path: string, fileName: string): Promise<void> {
  await download(path, fileName, 'text/csv');
}

/** Saves what a path gives as a file. */
export async function download(path: string, fileName: string, accept: string): Promise<void> {
  const response = await fetch(path, { headers: { accept } });
  if (!response.ok) throw await errorOf(response);
  saveFile(await response.blob(), fileName);
}

/** Saves content as a file. */
export function saveFile(content: Blob, fileName: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName;
  link.click();
  URL.revokeObjectURL(url);
}
