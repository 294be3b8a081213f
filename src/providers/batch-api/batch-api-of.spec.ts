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
    // Their jobs have files, which must have a place.
    ['bedrock', 'https://bedrock-runtime.us-east-1.amazonaws.com', undefined],
    ['vertex', 'https://aiplatform.googleapis.com', undefined],
    ['cohere', 'https://api.cohere.com/v2', undefined],
  ])('of type %s at %s is %s', async (type, baseUrl, expected) => {
    expect(await nameOf({ type, baseUrl })).toBe(expected);
    expect(await nameOf({ type, baseUrl, batches: 'off' })).toBeUndefined();
  });

  it('is that of jobs where the entry says where their files are', async () => {
    const storage = { bucket: 'b', prefix: '', bucketUrl: 'https://b.example' };
    const baseUrl = 'https://cloud.example';
    const s3 = { batchStorage: { ...storage, scheme: 's3' as const, roleArn: 'arn' } };
    const gs = { batchStorage: { ...storage, scheme: 'gs' as const } };
    expect(await nameOf({ type: 'bedrock', baseUrl, cloud: s3 })).toBe('InvocationJobs');
    expect(await nameOf({ type: 'vertex', baseUrl, apiKey: undefined, cloud: gs })).toBe('PredictionJobs');
    expect(await nameOf({ type: 'bedrock', baseUrl, cloud: s3, batches: 'off' })).toBeUndefined();
  });

  it('takes as few tasks as the provider allows, or as the entry says', async () => {
    const minOf = async (type: string, batchMinTasks?: number): Promise<number | undefined> => {
      const batchStorage = { scheme: 's3' as const, bucket: 'b', prefix: '', bucketUrl: 'https://b.example' };
      const entry = { name: 'p', type, baseUrl: 'https://p.example', apiKey: 'k', headers: {}, listModels: true };
      const more = batchMinTasks === undefined ? {} : { batchMinTasks };
      const api = batchApiOf({ ...entry, ...more, cloud: { batchStorage } }, OPTIONS);
      await api?.close();
      return api?.minLines;
    };
    expect([await minOf('bedrock'), await minOf('bedrock', 10), await minOf('bedrock', 500)]).toEqual([100, 10, 500]);
    expect([await minOf('anthropic'), await minOf('google', 7)]).toEqual([1, 7]);
  });

  it('is that of OpenAI at a server that says so', async () => {
    const baseUrl = 'http://127.0.0.1:8000/v1';
    expect(await nameOf({ type: 'openai', baseUrl, batches: 'native' })).toBe('FileBatches');
  });
});
