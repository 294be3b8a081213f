import { type ProviderDefinition } from './definition.js';
import { ENTRA_KEYS, ENTRA_VARIABLES, keyOrLoginFault, namesEntraLogin, readEntraLogin } from './logins/entra-login.js';

export const definition: ProviderDefinition = {
  name: 'azure',
  title: 'Azure OpenAI',
  documentation: 'https://learn.microsoft.com/azure/ai-foundry/openai/reference',
  hosts: /\.openai\.azure\.com$/,
  priceId: 'azure',
  // https://azure.microsoft.com/pricing/details/cognitive-services/openai-service/
  tierFactors: () => ({ batch: 0.5 }),
  catalogueId: 'azure',
  telemetryName: 'azure.ai.openai',
  credentials: 'api-key-or-entra',
  prefill: { hosts: /(?:^|\.)openai\.azure\.com$/, form: 'none' },
  operations: { embeddings: { format: 'openai-embeddings' }, media: ['images', 'speech', 'transcription'] },
  // https://learn.microsoft.com/azure/ai-foundry/openai/how-to/batch
  batches: {
    format: 'files-and-batches',
    endpoints: ['/chat/completions', '/responses', '/embeddings'],
    linePrefix: '',
    maxLines: 100_000,
    maxBytes: 200 * 1024 * 1024,
  },
  compatible: { fields: { maxStops: 4 }, hasModelList: false },
  // It is not below the address of a deployment, whichever version is asked for.
  responsesUrl: ({ baseUrl, cloud: { apiVersion = 'v1' } = {} }) =>
    `${baseUrl}${apiVersion === 'v1' ? '/v1' : ''}/responses?api-version=${encodeURIComponent(apiVersion)}`,
  // A dated version uses the addresses of deployments.
  operationUrl: ({ baseUrl, cloud: { apiVersion = 'v1' } = {} }) => {
    const query = `?api-version=${encodeURIComponent(apiVersion)}`;
    if (apiVersion === 'v1') return (path) => `${baseUrl}/v1${path}${query}`;
    return (path, model) => `${baseUrl}/deployments/${encodeURIComponent(model)}${path}${query}`;
  },
  cloudKeys: ['resource_name', 'api_version', ...ENTRA_KEYS],
  variables: {
    AZURE_RESOURCE_NAME: { description: 'the name of the resource', example: 'my-resource' },
    AZURE_API_KEY: { description: 'the key', without: '`AZURE_OPENAI_API_KEY`', secret: true },
    AZURE_OPENAI_API_KEY: { description: 'the key, where `AZURE_API_KEY` is not set', secret: true },
    ...ENTRA_VARIABLES,
  },
  connect: (input) => {
    const { entry, apiKey: ownKey, baseUrl, variable } = input;
    const resource = entry.resource_name ?? variable('AZURE_RESOURCE_NAME');
    // A key of the environment goes to the address that it is for, and to no other.
    const fromEnvironment = (): string | undefined => variable('AZURE_API_KEY') ?? variable('AZURE_OPENAI_API_KEY');
    const takesEnvironment = baseUrl === undefined && !namesEntraLogin(entry);
    const apiKey = ownKey ?? (takesEnvironment ? fromEnvironment() : undefined);
    const login = apiKey === undefined ? readEntraLogin(input, baseUrl) : { cloud: {}, faults: [] };
    const isWithoutLogin = apiKey === undefined && login.cloud.entra === undefined && login.faults.length === 0;
    const isNowhere = baseUrl === undefined && resource === undefined;
    return {
      apiKey,
      baseUrl: baseUrl ?? (resource === undefined ? undefined : `https://${resource}.openai.azure.com/openai`),
      cloud: { ...(entry.api_version !== undefined && { apiVersion: entry.api_version }), ...login.cloud },
      faults: [
        ...(isNowhere
          ? [{ key: 'resource_name', message: 'is required, or base_url. Set it, or AZURE_RESOURCE_NAME' } as const]
          : []),
        ...(isWithoutLogin ? [keyOrLoginFault('AZURE_API_KEY')] : []),
        ...login.faults,
      ],
    };
  },
};
