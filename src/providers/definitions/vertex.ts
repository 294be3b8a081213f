import {
  CLAUDE_ON_VERTEX_COUNT,
  CLAUDE_ON_VERTEX_TRAITS,
  fitRawPredictBody,
  rawPredictEndpoint,
} from './claude/claude-on-vertex.js';
import { isClaude } from './claude/is-claude.js';
import { type ChatEndpoint, type ChatEndpointCall } from './types/chat-format.js';
import { type OperationTarget } from './types/connection.js';
import { type ProviderDefinition } from './definition.js';
import { fitGeminiBody, geminiMethod, googleSearchPrice } from './gemini.js';
import { GOOGLE_LOGIN_VARIABLES, PROJECT_OF_LOGIN, readGoogleLogin } from './logins/google-login.js';
import { BATCH_STORAGE_KEYS, readBatchStorage } from './storage/batch-storage.js';

/** Vertex AI takes log probabilities and penalties, and no ids of calls. */
const GEMINI_TRAITS = { isCloud: true };

export const definition: ProviderDefinition = {
  name: 'vertex',
  title: 'Google Vertex AI',
  documentation: 'https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference',
  hosts: /aiplatform\.(?:[a-z]+\.rep\.)?googleapis\.com$/,
  priceId: 'google',
  catalogueId: 'google-vertex',
  telemetryName: 'gcp.vertex_ai',
  webSearchPrice: (model) => (isClaude(model) ? 0.01 : googleSearchPrice(model)),
  credentials: 'google-cloud',
  operations: { embeddings: { format: 'vertex-predict' } },
  operationUrl: (target) => (path) => `${target.baseUrl}${publisherOf(target)}${path}`,
  // https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/batch-prediction-gemini
  batches: {
    format: 'prediction-jobs',
    endpoints: [':generateContent', ':rawPredict'],
    url: (target) => `${target.baseUrl}/v1${scopeOf(target)}`,
    maxLines: 200_000,
    maxBytes: 1024 * 1024 * 1024,
  },
  cloudKeys: ['region', 'project', 'credentials_file', ...BATCH_STORAGE_KEYS],
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
    const batches = readBatchStorage(entry, 'gs', (bucket) => `storage.googleapis.com/${bucket}`);
    const credentialsFile = entry.credentials_file ?? variable('GOOGLE_APPLICATION_CREDENTIALS');
    return {
      apiKey,
      baseUrl: baseUrl ?? `https://${hostOf(apiKey === undefined ? region : 'global')}`,
      cloud: {
        region,
        // Without an API key, the login has the project.
        ...(project !== undefined ? { project } : apiKey === undefined && { project: PROJECT_OF_LOGIN }),
        ...(credentialsFile !== undefined && { credentialsFile }),
        ...(apiKey === undefined && { google: readGoogleLogin(variable) }),
        ...(batches.storage !== undefined && apiKey === undefined && { batchStorage: batches.storage }),
      },
      faults:
        batches.storage !== undefined && apiKey !== undefined
          ? [{ key: 'batch_location', message: 'needs a login to Google Cloud, because an API key opens no bucket' }]
          : batches.faults,
    };
  },
  chat: {
    // Vertex AI runs models of several makers, so the model decides.
    wire: (upstreamModel) => (isClaude(upstreamModel) ? 'anthropic' : 'gemini'),
    endpoint: (call) => (call.wire === 'anthropic' ? rawPredictEndpoint(call) : geminiEndpoint(call)),
    fitBody: (body, upstreamModel, call) => (call.wire === 'anthropic' ? fitRawPredictBody(body) : fitGeminiBody(body)),
    traits: (upstreamModel) => (isClaude(upstreamModel) ? CLAUDE_ON_VERTEX_TRAITS : GEMINI_TRAITS),
    passedHeaders: ['anthropic-beta'],
    countTokens: {
      ...CLAUDE_ON_VERTEX_COUNT,
      endpoint: (call) => (call.wire === 'anthropic' ? CLAUDE_ON_VERTEX_COUNT.endpoint(call) : undefined),
    },
  },
};

/** An API key is for Google's express mode, which has no project in its addresses. */
function publisherOf(target: OperationTarget): string {
  return `/v1${target.apiKey === undefined ? scopeOf(target) : ''}/publishers/google`;
}

function scopeOf({ cloud: { project = '', region = 'global' } = {} }: OperationTarget): string {
  return `/projects/${project}/locations/${region}`;
}

function geminiEndpoint(call: ChatEndpointCall): ChatEndpoint {
  return { path: `${publisherOf(call)}/models/${call.upstreamModel}${geminiMethod(call)}` };
}

function hostOf(region: string): string {
  if (region === 'global') return 'aiplatform.googleapis.com';
  if (region === 'eu' || region === 'us') return `aiplatform.${region}.rep.googleapis.com`;
  return `${region}-aiplatform.googleapis.com`;
}
