import type { ProviderConfig } from '../../config/gateway-config.js';
import { batchApiOf } from './batch-api-of.js';
import type { BatchApi } from './batch-api.js';

const OPTIONS = { maxResponseBytes: 1_000_000, connectTimeoutMs: 1_000 };

async function nameOf(
  config: Partial<ProviderConfig> & Pick<ProviderConfig, 'type' | 'baseUrl'>,
): Promise<string | undefined> {
  const api: BatchApi | undefined = batchApiOf(
    { name: 'p', apiKey: 'k', headers: {}, listModels: true, ...config },
    OPTIONS,
  );
  await api?.close();
  return api?.constructor.name;
}

describe('the batch API of a provider', () => {
  const gemini = 'https://generativelanguage.googleapis.com/v1beta';
  it.each([
    ['openai', 'https://api.openai.com/v1', 'FileBatches'],
    ['openai', 'https://api.groq.com/openai/v1', 'FileBatches'],
    ['openai', 'https://api.mistral.ai/v1', 'FileBatches'],
    ['anthropic', 'https://api.anthropic.com/v1', 'AnthropicMessageBatches'],
    ['google', gemini, 'ContentBatches'],
    ['google', 'http://127.0.0.1:8080/v1beta', 'ContentBatches'],
    // Requests in OpenAI's format are no lines of the batches that these have beside it.
    ['openai', `${gemini}/openai`, undefined],
    ['openai', 'https://api.anthropic.com/v1', undefined],
    ['openai', 'http://127.0.0.1:8000/v1', undefined],
    ['cohere', 'https://api.cohere.com/v2', undefined],
  ])('of type %s at %s is %s', async (type, baseUrl, expected) => {
    expect(await nameOf({ type, baseUrl })).toBe(expected);
    expect(await nameOf({ type, baseUrl, batches: 'off' })).toBeUndefined();
  });

  it('is that of OpenAI at a server that says so', async () => {
    const baseUrl = 'http://127.0.0.1:8000/v1';
    expect(await nameOf({ type: 'openai', baseUrl, batches: 'native' })).toBe('FileBatches');
  });
});
