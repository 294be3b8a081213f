import type { GatewayError } from '../../errors/gateway-error.js';
import { toGatewayError } from '../../errors/to-gateway-error.js';
import type { ProviderTestDto } from './providers.dto.js';

/** Milliseconds after which a provider without a response counts as failed. */
const TIMEOUT_MS = 30_000;
/** Most of a provider's own message that a result has. */
const MAX_WORDS_CHARACTERS = 500;

/** What a test found. */
export type TestOutcome = Pick<ProviderTestDto, 'ok' | 'latency_ms' | 'model_count' | 'error'>;

/**
 * Runs a test. What it finds is its result, not an error.
 *
 * @param gone aborted when the client of the test has disconnected; the test then rejects with its reason
 * @param test resolves with the number of listed models; null where it lists none
 */
export async function testOutcome(
  gone: AbortSignal,
  test: (signal: AbortSignal) => Promise<number | null>,
): Promise<TestOutcome> {
  const started = performance.now();
  const elapsed = (): number => Math.round(performance.now() - started);
  try {
    const count = await test(AbortSignal.any([gone, AbortSignal.timeout(TIMEOUT_MS)]));
    return { ok: true, latency_ms: elapsed(), model_count: count, error: null };
  } catch (thrown) {
    gone.throwIfAborted();
    const error = toGatewayError(thrown);
    const { status, code } = error;
    return { ok: false, latency_ms: elapsed(), model_count: null, error: { status, code, message: messageOf(error) } };
  }
}

/** Who tests is the operator, whom the provider's own words help. */
function messageOf({ message, upstream }: GatewayError): string {
  if (upstream === undefined) return message;
  const { status, message: words } = upstream;
  const isRefused = status === 401 || status === 403;
  const found = isRefused ? `The provider refused the credentials (HTTP ${status}).` : message;
  return words === undefined || words === message
    ? found
    : `${found} It responded: ${words.slice(0, MAX_WORDS_CHARACTERS)}`;
}

/** A short request of chat, without its model: few tokens of response, but enough for models that refuse fewer. */
export const TEST_PROMPT = {
  messages: [{ role: 'user' as const, content: 'Answer with the word: ok' }],
  max_tokens: 16,
};
