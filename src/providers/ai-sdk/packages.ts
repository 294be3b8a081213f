import type { LanguageModelV3 } from '@ai-sdk/provider';
import type { NativeProviderType, ProviderConfig } from '../../config/gateway-config.js';
import { isClaude } from './dialect.js';

/** A language model by its id at the provider. */
export type ModelFactory = (modelId: string) => LanguageModelV3 | Promise<LanguageModelV3>;

type Fetch = typeof globalThis.fetch;

/** What every package is given. All of it is said explicitly: a package that misses a setting reads the environment. */
interface Settings {
  readonly apiKey: string;
  readonly baseURL: string;
  readonly headers: Record<string, string>;
  readonly fetch: Fetch;
}

/**
 * How each type of provider becomes language models. A package is loaded by its first use, so that a provider nobody
 * configured costs neither time nor memory.
 */
export async function loadPackage(
  type: NativeProviderType,
  config: ProviderConfig,
  fetch: Fetch,
): Promise<ModelFactory> {
  const settings: Settings = {
    apiKey: config.apiKey ?? '',
    baseURL: config.baseUrl,
    headers: { ...config.headers },
    fetch,
  };
  switch (type) {
    case 'anthropic': {
      const { createAnthropic } = await import('@ai-sdk/anthropic');
      const provider = createAnthropic(settings);
      return (modelId) => provider.languageModel(modelId);
    }
    case 'google': {
      const { createGoogleGenerativeAI } = await import('@ai-sdk/google');
      const provider = createGoogleGenerativeAI(settings);
      return (modelId) => provider.languageModel(modelId);
    }
    case 'vertex':
      return loadVertex(config, settings);
    case 'bedrock':
      return loadBedrock(config, settings);
    case 'azure': {
      const { createAzure } = await import('@ai-sdk/azure');
      const { apiVersion } = config.cloud ?? {};
      const provider = createAzure({
        ...settings,
        ...(apiVersion !== undefined && { apiVersion, useDeploymentBasedUrls: apiVersion !== 'v1' }),
      });
      // The default of the package is the Responses API, whose shape is further from what clients send.
      return (modelId) => provider.chat(modelId);
    }
    case 'cohere': {
      const { createCohere } = await import('@ai-sdk/cohere');
      const provider = createCohere(settings);
      return (modelId) => provider.languageModel(modelId);
    }
    case 'mistral': {
      const { createMistral } = await import('@ai-sdk/mistral');
      const provider = createMistral(settings);
      return (modelId) => provider.languageModel(modelId);
    }
    case 'xai': {
      const { createXai } = await import('@ai-sdk/xai');
      const provider = createXai(settings);
      return (modelId) => provider.chat(modelId);
    }
    case 'groq': {
      const { createGroq } = await import('@ai-sdk/groq');
      const provider = createGroq(settings);
      return (modelId) => provider.languageModel(modelId);
    }
    case 'deepseek': {
      const { createDeepSeek } = await import('@ai-sdk/deepseek');
      const provider = createDeepSeek(settings);
      return (modelId) => provider.languageModel(modelId);
    }
    case 'perplexity': {
      const { createPerplexity } = await import('@ai-sdk/perplexity');
      const provider = createPerplexity(settings);
      return (modelId) => provider.languageModel(modelId);
    }
    case 'together': {
      const { createTogetherAI } = await import('@ai-sdk/togetherai');
      const provider = createTogetherAI(settings);
      return (modelId) => provider.languageModel(modelId);
    }
    case 'fireworks': {
      const { createFireworks } = await import('@ai-sdk/fireworks');
      const provider = createFireworks(settings);
      return (modelId) => provider.languageModel(modelId);
    }
  }
}

/** Gemini and Claude of one Google Cloud project; the key file, or what the machine itself is logged in as. */
async function loadVertex(config: ProviderConfig, settings: Settings): Promise<ModelFactory> {
  const { headers, fetch, apiKey } = settings;
  const { project = '', region = 'global', credentialsFile } = config.cloud ?? {};
  const root = `${config.baseUrl}/v1/projects/${project}/locations/${region}/publishers`;
  const shared = {
    project,
    location: region,
    headers,
    fetch,
    ...(credentialsFile !== undefined && { googleAuthOptions: { keyFilename: credentialsFile } }),
  };
  const { createVertex } = await import('@ai-sdk/google-vertex');
  // An API key is for Google's express mode, which has no project in its addresses.
  const gemini = createVertex(
    apiKey === ''
      ? { ...shared, apiKey, baseURL: `${root}/google` }
      : { ...shared, apiKey, baseURL: `${config.baseUrl}/v1/publishers/google` },
  );
  let claude: Promise<ModelFactory> | undefined;
  const loadClaude = async (): Promise<ModelFactory> => {
    const { createVertexAnthropic } = await import('@ai-sdk/google-vertex/anthropic');
    const provider = createVertexAnthropic({ ...shared, baseURL: `${root}/anthropic/models` });
    return (modelId) => provider.languageModel(modelId);
  };
  return async (modelId) => {
    if (!isClaude(modelId)) return gemini.languageModel(modelId);
    claude ??= loadClaude();
    return (await claude)(modelId);
  };
}

/** Signed with access keys, or with a bearer key where there is one. */
async function loadBedrock(config: ProviderConfig, settings: Settings): Promise<ModelFactory> {
  const { createAmazonBedrock } = await import('@ai-sdk/amazon-bedrock');
  const { region = 'us-east-1', accessKeyId = '', secretAccessKey = '', sessionToken } = config.cloud ?? {};
  const provider = createAmazonBedrock({
    ...settings,
    region,
    accessKeyId,
    secretAccessKey,
    ...(sessionToken !== undefined && { sessionToken }),
  });
  return (modelId) => provider.languageModel(modelId);
}
