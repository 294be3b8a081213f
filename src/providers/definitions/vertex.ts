import { MESSAGES_DIALECT } from './anthropic.js';
import {
  isClaude,
  type CloudSettings,
  type ModelFactory,
  type PackageSettings,
  type ProviderDefinition,
} from './definition.js';
import { GEMINI_DIALECT } from './gemini.js';
import { GOOGLE_LOGIN_VARIABLES, PROJECT_OF_LOGIN, readGoogleLogin } from './logins/google-login.js';

export const definition: ProviderDefinition = {
  name: 'vertex',
  title: 'Google Vertex AI',
  documentation: 'https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference',
  hosts: /aiplatform\.(?:[a-z]+\.rep\.)?googleapis\.com$/,
  priceId: 'google',
  catalogueId: 'google-vertex',
  telemetryName: 'gcp.vertex_ai',
  credentials: 'google-cloud',
  operations: { embeddings: { format: 'vertex-predict' } },
  // An API key is for Google's express mode, which has no project in its addresses.
  operationUrl: ({ baseUrl, apiKey, cloud: { project = '', region = 'global' } = {} }) => {
    const scope = apiKey === undefined ? `/projects/${project}/locations/${region}` : '';
    return (path) => `${baseUrl}/v1${scope}/publishers/google${path}`;
  },
  cloudKeys: ['region', 'project', 'credentials_file'],
  variables: {
    GOOGLE_VERTEX_PROJECT: { description: 'the project', without: '`GOOGLE_CLOUD_PROJECT`', example: 'my-project' },
    GOOGLE_CLOUD_PROJECT: {
      description: 'the project, where `GOOGLE_VERTEX_PROJECT` is not set',
      without: 'the project of the credentials',
      example: 'my-project',
    },
    GOOGLE_VERTEX_LOCATION: { description: 'the location', default: 'global', example: 'europe-west4' },
    GOOGLE_VERTEX_API_KEY: { description: 'an API key, in place of a login', secret: true },
    ...GOOGLE_LOGIN_VARIABLES,
  },
  connect: ({ entry, apiKey: ownKey, baseUrl, variable }) => {
    const project = entry.project ?? variable('GOOGLE_VERTEX_PROJECT') ?? variable('GOOGLE_CLOUD_PROJECT');
    const region = entry.region ?? variable('GOOGLE_VERTEX_LOCATION') ?? 'global';
    const apiKey = ownKey ?? (entry.project === undefined ? variable('GOOGLE_VERTEX_API_KEY') : undefined);
    const credentialsFile = entry.credentials_file ?? variable('GOOGLE_APPLICATION_CREDENTIALS');
    return {
      apiKey,
      baseUrl: baseUrl ?? `https://${hostOf(apiKey === undefined ? region : 'global')}`,
      cloud: {
        region,
        // Without an API key, the login says which project it is of.
        ...(project !== undefined ? { project } : apiKey === undefined && { project: PROJECT_OF_LOGIN }),
        ...(credentialsFile !== undefined && { credentialsFile }),
        ...(apiKey === undefined && { google: readGoogleLogin(variable) }),
      },
      faults: [],
    };
  },
  native: {
    // Vertex AI runs models of several makers, so the model decides as well.
    dialect: (modelId) => (isClaude(modelId) ? MESSAGES_DIALECT : { ...GEMINI_DIALECT, namespace: 'vertex' }),
    load: loadModels,
  },
};

function hostOf(region: string): string {
  if (region === 'global') return 'aiplatform.googleapis.com';
  if (region === 'eu' || region === 'us') return `aiplatform.${region}.rep.googleapis.com`;
  return `${region}-aiplatform.googleapis.com`;
}

/** Gemini and Claude of one Google Cloud project, with the key file or the machine's own login. */
async function loadModels(settings: PackageSettings, cloud: CloudSettings): Promise<ModelFactory> {
  const { headers, fetch, apiKey, baseURL } = settings;
  const { project = '', region = 'global', credentialsFile } = cloud;
  const root = `${baseURL}/v1/projects/${project}/locations/${region}/publishers`;
  const common = {
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
      ? { ...common, apiKey, baseURL: `${root}/google` }
      : { ...common, apiKey, baseURL: `${baseURL}/v1/publishers/google` },
  );
  let claude: Promise<ModelFactory> | undefined;
  const loadClaude = async (): Promise<ModelFactory> => {
    const { createVertexAnthropic } = await import('@ai-sdk/google-vertex/anthropic');
    const provider = createVertexAnthropic({ ...common, baseURL: `${root}/anthropic/models` });
    return (modelId) => provider.languageModel(modelId);
  };
  return async (modelId) => {
    if (!isClaude(modelId)) return gemini.languageModel(modelId);
    claude ??= loadClaude();
    return (await claude)(modelId);
  };
}
