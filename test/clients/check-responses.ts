/**
 * Runs before each e2e file: every JSON response that a gateway gives to GatewayClient, and to `fetch` and so to the
 * clients that use it, is held to the OpenAPI document of this build. A file with a response that the document does not
 * allow fails.
 */
import { noteWorker } from '../fixtures/started-processes.mjs';
import { gatewayOrigins } from './gateway-origins.js';
import { observeResponses, type ObservedResponse } from './observed-responses.js';
import { ResponseContract } from './response-contract.js';

/** Only ends the wait for a body that never ends, at the end of a file. */
const LAST_BODIES_MS = 2_000;

noteWorker();

const realFetch = globalThis.fetch;
const contract = ResponseContract.fromFile(process.env['TEST_OPENAPI_DOCUMENT'] ?? 'openapi.json');
const faults = new Map<string, string>();
const pending = new Set<Promise<void>>();

function check({ method, url, status, contentType, body }: ObservedResponse): void {
  const test = expect.getState().currentTestName ?? '';
  const mediaType = contentType.split(';')[0] ?? '';
  const { pathname } = url;
  // Workers serve /health and /metrics alone, and say so on every other path.
  if (status === 404 && JSON.stringify(body ?? '').includes('This process is a worker')) return;
  const fault = contract.faultOf({ method, pathname, status, mediaType, body });
  if (fault === undefined) return;
  const text = body === undefined ? '' : JSON.stringify(body).slice(0, 600);
  faults.set(`${method} ${status} ${fault}`, `${method} ${pathname} -> ${status}: ${fault}\n${text}\nin: ${test}`);
}

async function checkFetched(method: string, url: URL, response: Response): Promise<void> {
  const contentType = response.headers.get('content-type') ?? '';
  let body: unknown;
  if (contentType.split(';')[0] === 'application/json' && method !== 'HEAD') {
    try {
      body = await response.clone().json();
    } catch {
      return; // The test went away before the body was whole.
    }
  }
  check({ method, url, status: response.status, contentType, body });
}

observeResponses(check);

globalThis.fetch = async (input, init) => {
  const response = await realFetch(input, init);
  const url = new URL(input instanceof Request ? input.url : input);
  if (gatewayOrigins.has(url.origin)) {
    const method = (init?.method ?? (input instanceof Request ? input.method : 'GET')).toUpperCase();
    const checked = checkFetched(method, url, response).finally(() => pending.delete(checked));
    pending.add(checked);
  }
  return response;
};

afterAll(async () => {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise((resolve) => (timer = setTimeout(resolve, LAST_BODIES_MS)));
  await Promise.race([Promise.all(pending), timeout]);
  clearTimeout(timer);
  if (faults.size === 0) return;
  throw new Error(
    `${faults.size} responses are not what the OpenAPI document says:\n\n${[...faults.values()].join('\n\n')}`,
  );
});
