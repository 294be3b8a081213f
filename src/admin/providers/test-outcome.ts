import type { GatewayError } from '../../errors/gateway-error.js';
import { toGatewayError } from '../../errors/to-gateway-error.js';
import type { Provider } from '../../providers/provider.js';
import type { ProviderTestDto } from './providers.dto.js';

/** Milliseconds after which a provider without a response counts as failed. */
const TIMEOUT_MS = 30_000;
/** Most of a provider's own message that a result has. */
const MAX_WORDS_CHARACTERS = 500;

/** What to test. */
export interface ProviderTest {
  readonly provider: Provider;
  /** The model to ask for a response; undefined reads the list of models. */
  readonly model: string | undefined;
  /** Aborted when the client of the test has disconnected; the test then rejects with its reason. */
  readonly gone: AbortSignal;
}

/**
 * Runs a test. What it finds is its result, not an error.
 *
 * @param callModel asks the model for a response
 */
export async function runProviderTest(
  { provider, model, gone }: ProviderTest,
  callModel: (model: string, signal: AbortSignal) => Promise<unknown>,
): Promise<ProviderTestDto> {
  const started = performance.now();
  const result = (found: Pick<ProviderTestDto, 'ok' | 'model_count' | 'error'>): ProviderTestDto => ({
    object: 'provider_test',
    provider: provider.name,
    checked: model === undefined ? 'models' : 'chat',
    latency_ms: Math.round(performance.now() - started),
    ...found,
  });
  try {
    const signal = AbortSignal.any([gone, AbortSignal.timeout(TIMEOUT_MS)]);
    if (model === undefined) {
      return result({ ok: true, model_count: (await provider.listModels(signal)).length, error: null });
    }
    await callModel(model, signal);
    return result({ ok: true, model_count: null, error: null });
  } catch (thrown) {
    gone.throwIfAborted();
    const error = toGatewayError(thrown);
    const { status, code } = error;
    return result({ ok: false, model_count: null, error: { status, code, message: messageOf(error) } });
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
